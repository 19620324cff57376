/** Opens what carries events and EDUs to other servers. */
import type { ServerName } from '@holdfast/protocol/ids/brand'
import type { JsonObject } from '@holdfast/protocol/json/value'
import type { Homeserver } from '../../homeserver.ts'
import type { StoredEvent } from '../../rooms/event-store.ts'
import * as storage from '../../storage/outbox.ts'
import type { BatchDeps } from './batch.ts'
import { boundEdus } from './bound-edus.ts'
import { compaction } from './compact.ts'
import { deliver } from './deliver.ts'
import { followDeviceLists } from './follow-device-lists.ts'
import { openEventRouter } from './follow-events.ts'
import { openFollower } from './follow.ts'
import { type Lane, pushEphemeral } from './lane.ts'
import { laneTotals, openLanes } from './lanes.ts'
import { openLedger } from './ledger.ts'
import { OUTBOX_LIMITS } from './limits.ts'
import { openPump, type Pump } from './pump.ts'
import { openRefusedEvents } from './refused-events.ts'
import { type EventReport, eventReport, type OutboxTotals, type ServerReport, serverReport } from './report.ts'

export type EphemeralEdu = {
  /** What was said before with this key and has not gone out yet is forgotten: `typing !room:a @user:b`. */
  readonly key: string
  readonly eduType: string
  readonly content: JsonObject
}

export type Outbox = AsyncDisposable & {
  /** Goes on where it was left. Until then nothing goes out. */
  start(): Promise<void>
  /** News that are worth nothing tomorrow: they go out once, soon, or not at all if the server cannot be reached. */
  sendEphemeral(servers: Iterable<ServerName>, edu: EphemeralEdu): void
  /** The following answer undefined until the start. */
  server(server: ServerName): Promise<ServerReport | undefined>
  event(event: Pick<StoredEvent, 'position' | 'nid' | 'pdu'>): Promise<EventReport | undefined>
  totals(): OutboxTotals | undefined
}

export type OutboxDeps = BatchDeps &
  Pick<Homeserver, 'clock' | 'random' | 'log' | 'streams' | 'outgoing' | 'federation'>

export function openOutbox(deps: OutboxDeps): Outbox {
  let running: RunningOutbox | undefined
  let starting: Promise<RunningOutbox> | undefined
  return {
    start: async () => {
      starting ??= startOutbox({ ...deps, log: deps.log.named('outbox') })
      running = await starting
    },
    sendEphemeral: (servers, edu) => running?.sendEphemeral(servers, edu),
    server: async (server) => running?.server(server),
    event: async (event) => running?.event(event),
    totals: () => running?.totals(),
    [Symbol.asyncDispose]: async () => (await starting)?.[Symbol.asyncDispose](),
  }
}

type RunningOutbox = AsyncDisposable &
  Pick<Outbox, 'sendEphemeral'> & {
    server(server: ServerName): Promise<ServerReport>
    event(event: Pick<StoredEvent, 'position' | 'nid' | 'pdu'>): Promise<EventReport>
    totals(): OutboxTotals
  }

async function startOutbox(deps: OutboxDeps): Promise<RunningOutbox> {
  const { clock, federation } = deps
  const { destinations } = federation
  const progress = (await storage.outboxProgress(deps.db)) ?? { settled: 0, device_lists: 0 }
  const stopping = new AbortController()
  const refusedEvents = openRefusedEvents()
  const all = openLanes()
  const { lanes } = all
  const laneOf = (server: ServerName) => all.laneOf(server)
  const router = openEventRouter(
    { ...deps, laneOf, wake: (lane) => pump.wake(lane), startPosition: deps.streams.position() },
    progress.settled,
  )
  const routed = () => router.routed
  const ledger = openLedger({ ...deps, lanes, routed, flushed }, progress.settled)
  const delivering = { ...deps, routed, once: countedIn(deps), refusedEvents, signal: stopping.signal }
  const pump = openPump({ ...deps, destinations, deliver: (lane) => deliver(delivering, lane), delivered })
  const events = openFollower(deps, 'events', async () => {
    const mayBeMore = await router.step()
    if (router.routed > ledger.settled) ledger.touch()
    return mayBeMore
  })
  const deviceListStep = followDeviceLists({ ...deps, wakeForEdus }, progress.device_lists)
  const deviceLists = openFollower(deps, 'device lists', deviceListStep)
  const compacting = openFollower(deps, 'compaction', compaction({ ...deps, lanes, settled: () => ledger.settled }))
  let compactedAt = 0

  function delivered(lane: Lane): void {
    all.reap(lane)
    ledger.touch()
  }

  function flushed(): void {
    for (const lane of lanes.values()) all.reap(lane)
    if (ledger.told >= ledger.settled || router.count - compactedAt < OUTBOX_LIMITS.compactedAtOnce) return
    compactedAt = router.count
    compacting.look()
  }

  function wakeForEdus(servers: Iterable<ServerName>): void {
    for (const server of servers) {
      if (server === deps.serverName) continue
      const lane = laneOf(server)
      lane.hasEdus = true
      lane.edusUnchecked += 1
      if (lane.edusUnchecked >= OUTBOX_LIMITS.edusUncheckedMax) boundEdus(deps, lane)
      pump.wake(lane)
    }
  }

  await resume(deps, { pump, laneOf, lanes })
  const awake = destinations.onAwake((server) => {
    const lane = lanes.get(server)
    if (lane !== undefined) pump.wakeNow(lane)
  })
  const look = (): void => {
    events.look()
    deviceLists.look()
  }
  const listening = deps.outgoing.listen((servers) => (servers === undefined ? look() : wakeForEdus(servers)))
  look()

  const reporting = { ...deps, destinations, lanes, routed, refusedEvents }
  return {
    sendEphemeral: (servers, { key, eduType, content }) => {
      for (const server of servers) {
        if (server === deps.serverName) continue
        const lane = laneOf(server)
        // It cannot be reached now.
        if (lane.pause !== undefined) continue
        pushEphemeral(lane, key, { edu_type: eduType, content })
        pump.wake(lane)
      }
    },
    server: (server) => serverReport(reporting, server),
    event: (event) => eventReport(reporting, event),
    totals: () => ({ ...laneTotals(lanes), inFlight: pump.inFlight, settled: ledger.settled }),
    [Symbol.asyncDispose]: async () => {
      listening[Symbol.dispose]()
      awake[Symbol.dispose]()
      await Promise.all([events.stop(), deviceLists.stop(), compacting.stop()])
      const late = clock.after(OUTBOX_LIMITS.drainMs, () => stopping.abort())
      await pump.drain()
      late[Symbol.dispose]()
      for (const lane of lanes.values()) lane.pause?.timer[Symbol.dispose]()
      await ledger.flush()
      ledger[Symbol.dispose]()
    },
  }
}

function countedIn({ random }: Pick<OutboxDeps, 'random'>): () => string {
  const run = random.text(12)
  let transactions = 0
  return () => `${run} ${(transactions += 1)}`
}

/** Servers for which something waits since before the start are turned to one after the other. */
async function resume(
  { db }: Pick<OutboxDeps, 'db'>,
  { laneOf, lanes, pump }: Pick<ReturnType<typeof openLanes>, 'laneOf' | 'lanes'> & { readonly pump: Pump },
): Promise<void> {
  for (const row of await storage.serversBehind(db)) {
    const lane = laneOf(row.server_name as ServerName)
    lane.gap = { after: row.position, upTo: undefined }
    lane.recorded = row.position
  }
  for (const server of await storage.serversWithEdus(db)) laneOf(server as ServerName).hasEdus = true
  for (const [index, lane] of [...lanes.values()].entries()) pump.pause(lane, index * OUTBOX_LIMITS.staggerMs)
}
