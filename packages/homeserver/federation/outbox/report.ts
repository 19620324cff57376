/** What waits for whom, for people who ask. */
import type { ServerName } from '@holdfast/protocol/ids/brand'
import type { Homeserver } from '../../homeserver.ts'
import type { StoredEvent } from '../../rooms/event-store.ts'
import { countOutgoingEdus, outgoingEventAt, owedEvents } from '../../storage/outbox.ts'
import type { Destinations, DestinationState } from '../transport/destinations.ts'
import { cursorOf, type Lane } from './lane.ts'
import type { LaneTotals } from './lanes.ts'
import { OUTBOX_LIMITS } from './limits.ts'
import type { RefusedEvents } from './refused-events.ts'
import { departedServers, destinationsOf } from './route-event.ts'

export type ServerReport = {
  readonly destination: DestinationState
  /** It was told of everything up to here; undefined: of everything. */
  readonly toldUpTo: number | undefined
  readonly waitingEvents: number
  /** There are more of them than were counted. */
  readonly isMore: boolean
  readonly waitingEdus: number
  readonly isSending: boolean
  readonly retryInMs: number | undefined
  readonly lastError: { readonly message: string; readonly atMs: number } | undefined
}

export type EventReport = {
  /** Servers that were not told yet. */
  readonly waiting: readonly ServerName[]
  readonly refusedBy: ReadonlyMap<ServerName, string>
}

export type OutboxTotals = LaneTotals & {
  readonly inFlight: number
  /** Events up to here have been looked at. */
  readonly routed: number
  /** All servers but those behind were told of what is up to here. */
  readonly settled: number
}

export type ReportDeps = Pick<Homeserver, 'db' | 'clock' | 'events' | 'heads' | 'serverName'> & {
  readonly destinations: Destinations
  readonly lanes: ReadonlyMap<ServerName, Lane>
  readonly routed: () => number
  readonly refusedEvents: RefusedEvents
}

export async function serverReport(deps: ReportDeps, server: ServerName): Promise<ServerReport> {
  const { db, clock, destinations, lanes, routed } = deps
  const lane = lanes.get(server)
  const toldUpTo = lane === undefined ? undefined : cursorOf(lane)
  const limit = OUTBOX_LIMITS.reportedEventsMax
  const waiting =
    toldUpTo === undefined
      ? []
      : await owedEvents(db.heavy, { serverName: server, after: toldUpTo, upTo: routed(), limit })
  const [waitingEdus = 0] = await countOutgoingEdus(db, server)
  return {
    destination: await destinations.state(server),
    toldUpTo,
    waitingEvents: waiting.length,
    isMore: waiting.length === limit,
    waitingEdus,
    isSending: lane?.isBusy ?? false,
    retryInMs: lane?.pause === undefined ? undefined : Math.max(0, lane.pause.untilMs - clock.monotonicMs()),
    lastError: lane?.lastError,
  }
}

export async function eventReport(
  deps: ReportDeps,
  event: Pick<StoredEvent, 'position' | 'nid' | 'pdu'>,
): Promise<EventReport> {
  const refusedBy = deps.refusedEvents.of(event.pdu.eventId)
  const row = await outgoingEventAt(deps.db, event.position)
  const stored = await deps.events.byNid(event.nid)
  if (row === undefined || stored === undefined) return { waiting: [], refusedBy }
  const { servers } = await destinationsOf(deps, stored, departedServers(row.departed))
  const waiting = [...servers].filter((server) => {
    if (event.position > deps.routed()) return true
    const lane = deps.lanes.get(server)
    const toldUpTo = lane === undefined ? undefined : cursorOf(lane)
    return toldUpTo !== undefined && toldUpTo < event.position
  })
  return { waiting, refusedBy }
}
