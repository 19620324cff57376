/**
 * One homeserver in a room with members of many servers, all answered for in this process: what telling them costs.
 * `node interop/federation-load/fan-out.ts [--servers 1000] [--turns]`
 *
 * With `--turns` the loop never sleeps, and CPU is that of its busiest turn: it says the same on a machine that does other
 * work, where the delay of the loop says how long others were let go first.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { parseArgs } from 'node:util'
import { type HttpClient, OutgoingFailed } from '@holdfast/platform/http/client'
import { setRoomServer } from '@holdfast/homeserver/storage/federation-rooms'
import { startTestHomeserver, type TestHomeserver, type TestUser } from '@holdfast/homeserver/testing/homeserver'
import type { RoomId, ServerName } from '@holdfast/protocol/ids/brand'

const { values } = parseArgs({
  options: { servers: { type: 'string', default: '1000' }, turns: { type: 'boolean', default: false } },
})
const SERVERS = Array.from({ length: Number(values.servers) }, (_, index) => `s${index}.example:8448` as ServerName)
const ANSWER_AFTER_MS = { min: 10, max: 100 }
const SAMPLE_MS = 2
const PATIENCE_MS = 120_000
const FEW_MS = 5

/** All other servers. */
type Others = {
  readonly http: HttpClient
  /** PDUs and EDUs that were taken, by server. */
  readonly told: Map<string, { pdus: number; edus: number }>
  requests: number
  inFlight: number
  /** Servers that were asked while they were away. */
  readonly missed: Set<string>
  isAway: boolean
}

function others(): Others {
  const told: Others['told'] = new Map()
  const all: Others = {
    told,
    requests: 0,
    inFlight: 0,
    missed: new Set(),
    isAway: false,
    http: {
      [Symbol.asyncDispose]: async () => {},
      send: async (request) => {
        all.requests += 1
        const { min, max } = ANSWER_AFTER_MS
        all.inFlight += 1
        await new Promise((resolve) => setTimeout(resolve, min + Math.random() * (max - min)))
        all.inFlight -= 1
        if (all.isAway) {
          all.missed.add(request.headers!['host']!)
          throw new OutgoingFailed('unreachable', 'away')
        }
        if (request.url.includes('/v1/send/')) {
          const { pdus, edus = [] } = JSON.parse(String(request.body)) as { pdus: unknown[]; edus?: unknown[] }
          const server = request.headers!['host']!
          const before = told.get(server) ?? { pdus: 0, edus: 0 }
          told.set(server, { pdus: before.pdus + pdus.length, edus: before.edus + edus.length })
        }
        return { status: 200, headers: {}, body: Buffer.from('{"pdus":{}}') }
      },
    },
  }
  return all
}

type Figures = {
  readonly what: string
  readonly seconds: number
  readonly cpuMsPerServer: number
  readonly busiestTurnMs: number | undefined
  readonly loop: readonly [p50: number, p99: number, max: number]
  readonly othersMaxMs: number
  readonly rssMiB: number
  readonly requests: number
}

/** CPU time of the busiest turn of the loop, ms. */
function watchTurns(): () => number {
  let before = process.threadCpuUsage()
  let busiest = 0
  let isOn = true
  const turn = (): void => {
    const { user, system } = process.threadCpuUsage(before)
    busiest = Math.max(busiest, (user + system) / 1000)
    before = process.threadCpuUsage()
    if (isOn) setImmediate(turn)
  }
  setImmediate(turn)
  return () => {
    isOn = false
    return busiest
  }
}

type Scene = {
  readonly homeserver: TestHomeserver
  readonly ann: TestUser
  readonly all: Others
}

async function measured(
  { ann, all }: Scene,
  what: string,
  { act, isDone }: { readonly act: () => Promise<unknown>; readonly isDone: () => boolean },
): Promise<Figures> {
  await new Promise((resolve) => setTimeout(resolve, 1_500))
  const delays = monitorEventLoopDelay({ resolution: SAMPLE_MS })
  const requestsBefore = all.requests
  const endOfTurns = values.turns ? watchTurns() : undefined
  const cpuBefore = process.cpuUsage()
  const startMs = performance.now()
  delays.enable()
  let othersMaxMs = 0
  const over = new AbortController()
  const asking = (async () => {
    while (!over.signal.aborted) {
      const askedMs = performance.now()
      await ann.ok('GET', '/account/whoami')
      othersMaxMs = Math.max(othersMaxMs, performance.now() - askedMs)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  })()
  await act()
  while (!isDone() && performance.now() - startMs < PATIENCE_MS)
    await new Promise((resolve) => setTimeout(resolve, FEW_MS))
  if (!isDone()) throw new Error(`${what}: not done in ${PATIENCE_MS} ms`)
  const seconds = (performance.now() - startMs) / 1000
  const busiestTurnMs = endOfTurns?.()
  over.abort()
  await asking
  delays.disable()
  const { user, system } = process.cpuUsage(cpuBefore)
  const lateMs = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - SAMPLE_MS)
  return {
    what,
    seconds,
    cpuMsPerServer: (user + system) / 1000 / SERVERS.length,
    busiestTurnMs,
    loop: [lateMs(delays.percentile(50)), lateMs(delays.percentile(99)), lateMs(delays.max)],
    othersMaxMs,
    rssMiB: process.memoryUsage.rss() / 2 ** 20,
    requests: all.requests - requestsBefore,
  }
}

function show(figures: Figures): void {
  const { what, seconds, cpuMsPerServer, loop, busiestTurnMs, othersMaxMs, rssMiB, requests } = figures
  if (busiestTurnMs !== undefined) {
    console.log(`| ${what} | ${busiestTurnMs.toFixed(1)} |`)
    return
  }
  const cells = [
    what,
    String(requests),
    seconds.toFixed(2),
    cpuMsPerServer.toFixed(2),
    loop.map((ms) => ms.toFixed(1)).join(' / '),
    othersMaxMs.toFixed(0),
    rssMiB.toFixed(0),
  ]
  console.log(`| ${cells.join(' | ')} |`)
}

function showHead(): void {
  const columns = values.turns
    ? ['CPU of the busiest turn, ms']
    : ['requests', 's', 'CPU per server, ms', 'loop p50 / p99 / max, ms', 'another request max, ms', 'RSS, MiB']
  console.log(`| what | ${columns.join(' | ')} |`)
  console.log(`| --- |${' ---: |'.repeat(columns.length)}`)
}

async function main(): Promise<void> {
  const all = others()
  const resolver = { lookup: async () => [], lookupSrv: async () => [] } as never
  await using homeserver = await startTestHomeserver({ http: all.http, resolver })
  const ann = await homeserver.user('ann')
  const { room_id: roomId } = await ann.ok('POST', '/createRoom', { preset: 'public_chat' })
  const { db, heads, federation, outbox } = homeserver.parts
  const roomNid = (await heads.roomNid(roomId as RoomId))!
  await db.commit(SERVERS.map((serverName) => setRoomServer({ roomNid, serverName, joined: 1 })))
  heads.drop(roomNid)
  const scene = { homeserver, ann, all }

  let said = 0
  const say = (): Promise<unknown> => {
    said += 1
    const path = `/rooms/${encodeURIComponent(roomId)}/send/m.room.message/t${said}`
    return ann.ok('PUT', path, { msgtype: 'm.text', body: `message ${said}` })
  }
  const say10 = async (): Promise<void> => {
    for (let count = 0; count < 10; count += 1) await say()
  }
  const have = (kind: 'pdus' | 'edus', count: number): (() => boolean) => {
    const want = new Map(SERVERS.map((server) => [server, (all.told.get(server)?.[kind] ?? 0) + count]))
    return () => SERVERS.every((server) => (all.told.get(server)?.[kind] ?? 0) >= want.get(server)!)
  }
  const isQuiet = (): boolean => outbox.totals()!.servers === 0
  const typing = (): Promise<unknown> =>
    ann.ok('PUT', `/rooms/${encodeURIComponent(roomId)}/typing/${ann.userId}`, { typing: true, timeout: 30_000 })

  showHead()
  show(await measured(scene, 'first message', { act: say, isDone: have('pdus', 1) }))
  show(await measured(scene, 'a message', { act: say, isDone: have('pdus', 1) }))
  show(await measured(scene, 'ten messages', { act: say10, isDone: have('pdus', 10) }))
  show(await measured(scene, 'typing', { act: typing, isDone: have('edus', 1) }))
  const rename = (): Promise<unknown> => ann.ok('PUT', `/devices/${ann.deviceId}`, { display_name: 'phone' })
  show(await measured(scene, 'a device list update', { act: rename, isDone: have('edus', 1) }))

  all.isAway = true
  const areAllAway = (): boolean => all.missed.size === SERVERS.length
  show(await measured(scene, 'a message, all away', { act: say, isDone: areAllAway }))
  show(await measured(scene, 'ten messages, all away', { act: say10, isDone: () => true }))
  // What is on its way would arrive.
  while (all.inFlight > 0) await new Promise((resolve) => setTimeout(resolve, 1))
  all.isAway = false
  const heard = async (): Promise<void> => {
    for (const server of SERVERS) federation.destinations.heardFrom(server)
  }
  show(await measured(scene, 'all are back', { act: heard, isDone: () => have('pdus', 0)() && isQuiet() }))
  for (const [server, { pdus }] of all.told) if (pdus < said) throw new Error(`${server} lacks messages`)
}

await main()
