/** An outbox that was started: its parts, and how they hang together. */
import type { ServerName } from '@holdfast/protocol/ids/brand'
import type { LoggedMove } from '../../e2e-keys/moves.ts'
import type { RecentLog } from '../../e2e-keys/recent-log.ts'
import type { Homeserver } from '../../homeserver.ts'
import type { StoredEvent } from '../../rooms/event-store.ts'
import * as storage from '../../storage/outbox.ts'
import type { BatchDeps } from './batch.ts'
import { deliver } from './deliver.ts'
import { openEventRouter } from './follow-events.ts'
import { openFollowers } from './followers.ts'
import { type EphemeralEdu, openEduIntake } from './intake.ts'
import type { Lane } from './lane.ts'
import { type Lanes, laneTotals, openLanes } from './lanes.ts'
import { openLedger } from './ledger.ts'
import { OUTBOX_LIMITS } from './limits.ts'
import { openPump, type Pump } from './pump.ts'
import { openRefusedEvents } from './refused-events.ts'
import { type EventReport, eventReport, type OutboxTotals, type ServerReport, serverReport } from './report.ts'

export type OutboxDeps = BatchDeps &
  Pick<Homeserver, 'clock' | 'random' | 'log' | 'streams' | 'outgoing' | 'federation' | 'settings'> & {
    readonly moves: RecentLog<LoggedMove>
  }

export type RunningOutbox = AsyncDisposable & {
  sendEphemeral(servers: Iterable<ServerName>, edu: EphemeralEdu): void
  server(server: ServerName): Promise<ServerReport>
  event(event: Pick<StoredEvent, 'position' | 'nid' | 'pdu'>): Promise<EventReport>
  totals(): OutboxTotals
}

export async function startOutbox(deps: OutboxDeps): Promise<RunningOutbox> {
  const { clock, outgoing } = deps
  const { destinations } = deps.federation
  const progress = (await storage.outboxProgress(deps.db)) ?? { settled: 0, device_lists: 0 }
  const stopping = new AbortController()
  const refusedEvents = openRefusedEvents()
  const all = openLanes()
  const { lanes } = all

  const routing = { ...deps, lanes: all, wake: (lane: Lane) => pump.wake(lane) }
  const router = openEventRouter(routing, progress.settled)
  const routed = () => router.routed
  const ledger = openLedger({ ...deps, lanes, routed, flushed: () => flushed() }, progress.settled)
  const delivering = { ...deps, routed, once: countedIn(deps), refusedEvents, signal: stopping.signal }
  const pump = openPump({
    ...deps,
    destinations,
    deliver: (lane) => deliver(delivering, lane),
    delivered: (lane) => {
      all.reap(lane)
      ledger.touch()
    },
  })
  const intake = openEduIntake(deps, { lanes: all, pump })
  const following = { ...deps, lanes, wakeForEdus: (servers: readonly ServerName[]) => intake.stored(servers) }
  const followers = openFollowers(following, { router, ledger, progress })
  const flushed = (): void => {
    for (const lane of lanes.values()) all.reap(lane)
    followers.flushed()
  }

  await resume(deps, { lanes: all, pump })
  const awake = destinations.onAwake((server) => {
    const lane = lanes.get(server)
    if (lane !== undefined) pump.wakeNow(lane)
  })
  const listening = outgoing.listen((servers) => (servers === undefined ? followers.look() : intake.stored(servers)))
  const watching = deps.moves.listen(() => followers.moved())
  followers.look()

  const reporting = { ...deps, destinations, lanes, routed, refusedEvents }
  return {
    sendEphemeral: (servers, edu) => intake.ephemeral(servers, edu),
    server: (server) => serverReport(reporting, server),
    event: (event) => eventReport(reporting, event),
    totals: () => {
      const { inFlight } = pump
      return { ...laneTotals(lanes, clock.monotonicMs()), inFlight, routed: router.routed, settled: ledger.settled }
    },
    [Symbol.asyncDispose]: async () => {
      listening[Symbol.dispose]()
      awake[Symbol.dispose]()
      watching[Symbol.dispose]()
      await followers.stop()
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
  { db, clock }: Pick<OutboxDeps, 'db' | 'clock'>,
  { lanes, pump }: { readonly lanes: Lanes; readonly pump: Pump },
): Promise<void> {
  for (const row of await storage.serversBehind(db)) {
    const lane = lanes.laneOf(row.server_name as ServerName)
    lane.gap = { after: row.position, upTo: undefined }
    lane.recorded = row.position
    lane.owedSinceMs = clock.monotonicMs()
  }
  for (const server of await storage.serversWithEdus(db)) lanes.laneOf(server as ServerName).hasEdus = true
  for (const [index, lane] of [...lanes.lanes.values()].entries()) pump.pause(lane, index * OUTBOX_LIMITS.staggerMs)
}
