/** Measures how a homeserver joins a large room of another server, and how fast it receives events; see README.md. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { describeMachine } from '../../bench/report/machine.ts'
import { createAuthority, type Authority } from '../synapse/certificates.ts'
import { prepareFederatingHoldfast } from '../synapse/holdfast.ts'
import { segment } from '../synapse/http.ts'
import { installSynapse } from '../synapse/install.ts'
import type { Peer } from '../synapse/peer.ts'
import { newPerson, type Person } from '../synapse/person.ts'
import { prepareSynapse } from '../synapse/synapse.ts'
import { keptRoom, type KeptRoom } from './kept-room.ts'
import { costOf, type Cost } from './measure.ts'
import { Resident } from './resident.ts'
import { RESULTS, resultFile, type JoinResult, type ReceiveResult, type Result, writeReport } from './report.ts'
import { eventsAfter, openSender, transactionsOf, type Shape } from './traffic.ts'

const RESIDENT_ADDRESS = '127.0.0.9'
const SERVER_ADDRESS = '127.0.0.8'
const WAIT_MS_MAX = 15 * 60_000
/** As `npm start` starts it. */
const NODE_OPTIONS = '--max-semi-space-size=4 --v8-pool-size=1'

const { values } = parseArgs({
  options: {
    server: { type: 'string', default: 'holdfast' },
    members: { type: 'string', default: '20000' },
    'state-events': { type: 'string', default: '40000' },
    version: { type: 'string', default: '11' },
    events: { type: 'string', default: '10000' },
    'resident-port': { type: 'string', default: '18449' },
    'node-options': { type: 'string', default: NODE_OPTIONS },
    python: { type: 'string' },
    note: { type: 'string' },
    report: { type: 'boolean', default: false },
  },
})

if (values.report) writeReport()
else await measure()

async function measure(): Promise<void> {
  const size = { members: Number(values.members), stateEvents: Number(values['state-events']), version: values.version }
  const room = keptRoom(`${RESIDENT_ADDRESS}:${values['resident-port']}`, size)
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-federation-load-run-'))
  const authority = createAuthority(folder)
  const resident = new Resident(room, authority.issue(RESIDENT_ADDRESS))
  await resident.listen()
  try {
    await using peer = await preparePeer(authority, folder)
    await peer.start()
    const user = await newPerson(peer, 'joining')
    const bystander = await newPerson(peer, 'bystander')
    const joining = await measureJoin({ user, bystander, room, resident })
    show('join', joining)
    const receiving: ReceiveResult[] = []
    for (const shape of ['linear', 'forked'] as const) {
      const received = await measureReceiving({ user, bystander, room, resident, authority }, shape)
      show(`receive ${shape}`, received)
      receiving.push(received)
    }
    const answerMiB = resident.answerBytes / 2 ** 20
    keep({ server: peer.label, ...size, answerMiB, machine: describeMachine(), note: values.note, joining, receiving })
    await peer.stop()
  } finally {
    resident.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function preparePeer(authority: Authority, folder: string): Promise<Peer> {
  if (values.server === 'holdfast') {
    process.env['NODE_OPTIONS'] = values['node-options']
    return prepareFederatingHoldfast({ address: SERVER_ADDRESS, authority })
  }
  const place = { label: 'Synapse', address: SERVER_ADDRESS, python: values.python ?? installSynapse(), authority }
  return prepareSynapse({ ...place, folder: join(folder, 'synapse') })
}

type Scene = {
  readonly user: Person
  readonly bystander: Person
  readonly room: KeptRoom
  readonly resident: Resident
}

async function measureJoin({ user, bystander, room, resident }: Scene): Promise<JoinResult> {
  const at = { answered: 0, firstMessage: 0, wholeState: 0 }
  const roomId = segment(room.roomId)
  const members = Number(values.members) + 1
  const cost = await costOf(bystander, async () => {
    const startMs = performance.now()
    const seconds = (): number => (performance.now() - startMs) / 1000
    await patiently(() => user.post(`/join/${roomId}?server_name=${segment(room.serverName)}`))
    at.answered = seconds()
    await user.put(`/rooms/${roomId}/send/m.room.message/first`, { msgtype: 'm.text', body: 'hello' })
    at.firstMessage = seconds()
    await until(async () => Object.keys((await user.get(`/rooms/${roomId}/joined_members`)).joined).length === members)
    at.wholeState = seconds()
  })
  if (resident.joined === undefined) throw new Error('nobody has joined')
  return { ...at, cost }
}

async function measureReceiving(
  scene: Scene & { readonly authority: Authority },
  shape: Shape,
): Promise<ReceiveResult> {
  const { user, bystander, room, resident, authority } = scene
  const events = eventsAfter(room, resident.joined!, { shape, count: Number(values.events) })
  resident.has(events)
  const last = events.at(-1)!
  resident.joined = last
  const transactions = transactionsOf(room, user.peer.serverName, events)
  const sender = openSender(user.peer.serverName, authority.caFile)
  const newest = `/rooms/${segment(room.roomId)}/messages?dir=b&limit=1`
  const cost = await costOf(bystander, async () => {
    for (const transaction of transactions) await sender.send(transaction)
    await until(async () => (await user.get(newest)).chunk[0]?.event_id === last.eventId)
  })
  sender.close()
  return { shape, events: events.length, perSecond: events.length / cost.seconds, cost }
}

/** A client asks again when the answer takes too long. */
async function patiently(ask: () => Promise<unknown>): Promise<void> {
  const untilMs = performance.now() + WAIT_MS_MAX
  for (;;) {
    try {
      await ask()
      return
    } catch (error) {
      const isTimeout = error instanceof Error && (error.cause as Error | undefined)?.name === 'TimeoutError'
      const timedOut = isTimeout || (error as Error).name === 'TimeoutError'
      if (!timedOut || performance.now() > untilMs) throw error
    }
  }
}

async function until(isTrue: () => Promise<boolean>): Promise<void> {
  const untilMs = performance.now() + WAIT_MS_MAX
  while (!(await isTrue())) {
    if (performance.now() > untilMs) throw new Error('waited in vain')
    await sleep(20)
  }
}

function show(what: string, result: object & { readonly cost: Cost }): void {
  console.log(
    what,
    JSON.stringify(result, (_, value) => (typeof value === 'number' ? Math.round(value * 100) / 100 : value)),
  )
}

function keep(result: Result): void {
  mkdirSync(RESULTS, { recursive: true })
  writeFileSync(resultFile(result), JSON.stringify(result, undefined, 2))
}
