/** One homeserver, its outbox on a clock that stands still, and other servers that answer as they are told. */
import type { Clock } from '@holdfast/platform/clock/clock'
import { createManualClock, type ManualClock } from '@holdfast/platform/clock/manual-clock'
import { type Database, DatabaseUnavailable, type Statement } from '@holdfast/platform/database/database'
import type { Log } from '@holdfast/platform/log/log'
import { createSilentLog } from '@holdfast/platform/log/silent-log'
import { createSeededRandom } from '@holdfast/platform/random/seeded-random'
import type { EventId, RoomId, ServerName } from '@holdfast/protocol/ids/brand'
import type { JsonObject } from '@holdfast/protocol/json/value'
import type { StoredEvent } from '../../../rooms/event-store.ts'
import { act } from '../../../rooms/serve/testing/far-server.ts'
import { outgoingEvents, setRoomServer } from '../../../storage/federation-rooms.ts'
import { startTestHomeserver, type TestHomeserver, type TestUser } from '../../../testing/homeserver.ts'
import { until } from '../../../testing/until.ts'
import { scriptedHttp, type ScriptedAnswer } from '@holdfast/service/testing/scripted-http'
import { openFederationTransport } from '../../transport/open-transport.ts'
import { type Outbox, openOutbox } from '../outbox.ts'

export type SentTransaction = {
  readonly to: string
  readonly txnId: string
  readonly pdus: readonly JsonObject[]
  readonly edus: readonly JsonObject[]
}

type Answer = (
  transaction: SentTransaction,
  signal: AbortSignal,
) => ScriptedAnswer | undefined | Promise<ScriptedAnswer | undefined>

type WhichCommits = (statements: readonly Statement[]) => boolean

export type World = AsyncDisposable & {
  readonly homeserver: TestHomeserver
  readonly ann: TestUser
  readonly clock: ManualClock
  /** The outbox that runs now. */
  readonly outbox: Outbox
  /** What arrived, in order, whatever was answered. */
  readonly sent: SentTransaction[]
  /** From now on all servers answer so; undefined: they cannot be reached. */
  answer(answer: Answer): void
  /** From now on the outbox cannot commit what this is true of. */
  failCommits(isFailing: WhichCommits): void
  /** Other servers send us something. */
  heardFrom(server: string): void
  aRoom(members: readonly string[]): Promise<string>
  /** As if these servers had members in the room. */
  serversIn(room: string, servers: readonly string[]): Promise<void>
  /** A member of another server joins or leaves, or is what ann makes of them. */
  member(room: string, userId: string, membership: string, sender?: string): Promise<string>
  storedEvent(room: string, eventId: string): Promise<StoredEvent>
  /** Ann says something; the answer is the event id. */
  say(room: string, body: string): Promise<string>
  /** The process dies: nothing that runs gets any further. */
  crash(): Promise<void>
  stop(): Promise<void>
  start(): Promise<void>
  /** Bodies of messages that the server got, in order, also repeated ones. */
  heard(server: string): string[]
  untilHeard(server: string, body: string): Promise<void>
  /** Until nothing is in flight and all that can be written down is. */
  untilQuiet(): Promise<void>
}

export const accept: Answer = () => ({ body: { pdus: {} } })

export async function aWorld(log: Log = createSilentLog()): Promise<World> {
  const clock = createManualClock({ nowMs: Date.now() })
  const homeserver = await startTestHomeserver()
  const ann = await homeserver.user('ann')
  const sent: SentTransaction[] = []
  let answer: Answer = accept
  let isFailing = never
  const open = () => {
    const db = brittle(homeserver.parts.db, (statements) => isFailing(statements))
    return openLife({ homeserver, db, clock, log, sent, answer: (...given) => answer(...given) })
  }
  let running = await open()

  const world: World = {
    homeserver,
    ann,
    clock,
    sent,
    get outbox() {
      return running.outbox
    },
    answer: (given) => (answer = given),
    failCommits: (given) => (isFailing = given),
    heardFrom: (server) => running.transport.destinations.heardFrom(server as ServerName),
    ...roomsOf(homeserver, ann),
    crash: async () => {
      running.life.isOver = true
      await homeserver.restart()
      running = await open()
    },
    stop: async () => {
      await running.outbox[Symbol.asyncDispose]()
      await running.transport.destinations.settled()
    },
    start: async () => {
      await homeserver.restart()
      running = await open()
    },
    heard: (server) => sent.filter(({ to }) => to === server).flatMap(({ pdus }) => pdus.flatMap((pdu) => bodyOf(pdu))),
    untilHeard: (server, body) => until(() => world.heard(server).includes(body), `${server} hears ${body}`),
    untilQuiet: async () => {
      for (let turn = 0; turn < 30; turn += 1) {
        await clock.advance(100)
        await new Promise((resolve) => setTimeout(resolve, 2))
      }
      await settled(homeserver, running)
    },
    [Symbol.asyncDispose]: async () => {
      answer = accept
      await running.outbox[Symbol.asyncDispose]()
      await homeserver[Symbol.asyncDispose]()
    },
  }
  return world
}

/** One run of the outbox, until it is stopped or dies. */
async function openLife({
  homeserver,
  db,
  clock,
  log,
  sent,
  answer,
}: {
  readonly homeserver: TestHomeserver
  readonly db: Database
  readonly clock: ManualClock
  readonly log: Log
  readonly sent: SentTransaction[]
  readonly answer: Answer
}) {
  const life = { isOver: false, pending: 0 }
  const mortal = mortalClock(clock, life)
  const http = scriptedHttp(async (request) => {
    if (life.isOver) return new Promise(() => {})
    const transaction = transactionIn(request)
    if (transaction === undefined) return undefined
    sent.push(transaction)
    life.pending += 1
    const given = await answer(transaction, request.signal!)
    life.pending -= 1
    return life.isOver ? new Promise(() => {}) : given
  })
  const { parts } = homeserver
  const transport = openFederationTransport({
    ...parts,
    http,
    resolver: nobody,
    clock: mortal,
    random: createSeededRandom(1),
    log,
    signingKey: parts.signingKey,
  })
  const outbox = openOutbox({ ...parts, db, moves: parts.e2eKeys.moves, log, clock: mortal, federation: transport })
  await outbox.start()
  return { life, outbox, transport }
}

const never: WhichCommits = () => false

function brittle(db: Database, isFailing: WhichCommits): Database {
  return {
    engine: db.engine,
    all: (query) => db.all(query),
    row: (query) => db.row(query),
    column: (query) => db.column(query),
    heavy: db.heavy,
    commit: async (statements, options) => {
      if (isFailing(statements)) throw new DatabaseUnavailable('the disk is full')
      return db.commit(statements, options)
    },
    lastPosition: () => db.lastPosition(),
    [Symbol.asyncDispose]: async () => {},
  }
}

const PATIENCE_MS = 5_000
const LOOK_EVERY_MS = 5

/**
 * Thirty turns are long on a machine that has nothing else to do, and may be short on another one: until all events were
 * looked at, and whatever is in flight waits for the test itself.
 */
async function settled(
  { parts }: TestHomeserver,
  { outbox, life }: { readonly outbox: Outbox; readonly life: { readonly pending: number } },
): Promise<void> {
  const newest = (await outgoingRows(parts.db)).at(-1)?.position ?? 0
  for (const endMs = Date.now() + PATIENCE_MS; Date.now() < endMs;) {
    const totals = outbox.totals()
    if (totals === undefined || (totals.inFlight <= life.pending && totals.routed >= newest)) return
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
  }
}

function roomsOf(
  homeserver: TestHomeserver,
  ann: TestUser,
): Pick<World, 'aRoom' | 'serversIn' | 'member' | 'say' | 'storedEvent'> {
  let said = 0
  const rooms: ReturnType<typeof roomsOf> = {
    aRoom: async (members) => {
      const { room_id } = await ann.ok('POST', '/createRoom', { preset: 'public_chat', room_version: '10' })
      for (const userId of members) await rooms.member(room_id, userId, 'join')
      return room_id
    },
    serversIn: async (room, servers) => {
      const { db, heads } = homeserver.parts
      const roomNid = (await heads.roomNid(room as RoomId))!
      await db.commit(servers.map((serverName) => setRoomServer({ roomNid, serverName, joined: 1 })))
      heads.drop(roomNid)
    },
    member: (room, userId, membership, sender = userId) =>
      act(homeserver, room, {
        type: 'm.room.member',
        stateKey: userId,
        sender,
        content: { membership },
      }),
    say: async (room, body) => {
      said += 1
      const path = `/rooms/${room}/send/m.room.message/said${said}`
      return (await ann.ok('PUT', path, { msgtype: 'm.text', body })).event_id
    },
    storedEvent: async (room, eventId) => {
      const { heads, events } = homeserver.parts
      const roomNid = (await heads.roomNid(room as RoomId))!
      return (await events.inRoom(roomNid, eventId as EventId))!
    },
  }
  return rooms
}

function bodyOf(pdu: JsonObject): string[] {
  const { body } = pdu['content'] as { readonly body?: string }
  return body === undefined ? [] : [body]
}

function transactionIn(request: {
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
}): SentTransaction | undefined {
  const match = /\/_matrix\/federation\/v1\/send\/([^/?]+)$/.exec(request.url)
  if (match === null) return undefined
  const body = JSON.parse(String(request.body))
  return { to: request.headers!['host']!, txnId: match[1]!, pdus: body.pdus, edus: body.edus ?? [] }
}

/** What is set on the clock of a dead process never happens. */
function mortalClock(clock: ManualClock, life: { readonly isOver: boolean }): Clock {
  return {
    nowMs: () => clock.nowMs(),
    monotonicMs: () => clock.monotonicMs(),
    sleep: (ms, signal) => clock.sleep(ms, signal),
    after: (ms, action) =>
      clock.after(ms, () => {
        if (!life.isOver) action()
      }),
  }
}

const nobody = { lookup: async () => [], lookupSrv: async () => [] } as never

/** How many events are kept because somebody may not have heard of them. */
export async function outgoingCount({ homeserver }: World): Promise<number> {
  return (await outgoingRows(homeserver.parts.db)).length
}

function outgoingRows(db: TestHomeserver['parts']['db']): ReturnType<typeof outgoingEvents> {
  return outgoingEvents(db, { after: 0, upTo: Number.MAX_SAFE_INTEGER, limit: 100_000 })
}
