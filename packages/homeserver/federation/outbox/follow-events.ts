/** Puts committed events into the lanes of the servers that have to hear of them. */
import type { ServerName } from '@holdfast/protocol/ids/brand'
import { createSlices } from '@holdfast/platform/clock/slices'
import type { Homeserver } from '../../homeserver.ts'
import { outgoingEvents, type OutgoingEventRow } from '../../storage/federation-rooms.ts'
import { orBroken } from './broken.ts'
import { type Lane, type OwedEvent, pushEvent } from './lane.ts'
import type { Lanes } from './lanes.ts'
import { OUTBOX_LIMITS } from './limits.ts'
import { departedServers, destinationsOf } from './route-event.ts'

export type FollowEventsDeps = Pick<
  Homeserver,
  'db' | 'clock' | 'log' | 'events' | 'heads' | 'serverName' | 'streams'
> & {
  readonly lanes: Lanes
  readonly wake: (lane: Lane) => void
}

export type EventRouter = {
  /** Events up to here are in lanes. */
  readonly routed: number
  /** How many events that were. */
  readonly count: number
  /** @returns whether there may be more */
  step(): Promise<boolean>
}

export function openEventRouter(deps: FollowEventsDeps, settled: number): EventRouter {
  let routed = settled
  let count = 0

  async function route(row: OutgoingEventRow, leaving: ReadonlySet<ServerName>): Promise<void> {
    const to = await orBroken(deps, { eventNid: row.event_nid }, async () => {
      const event = await deps.events.byNid(row.event_nid)
      // An event of a room that was removed has nobody to go to.
      return event === undefined ? undefined : destinationsOf(deps, event, leaving)
    })
    const owed: OwedEvent = {
      position: row.position,
      roomNid: row.room_nid,
      eventNid: row.event_nid,
      isOld: to?.isOld ?? true,
    }
    const nowMs = deps.clock.monotonicMs()
    for (const server of to?.servers ?? []) {
      const lane = deps.lanes.laneOf(server)
      pushEvent(lane, owed, nowMs)
      deps.wake(lane)
    }
    routed = row.position
    count += 1
  }

  return {
    get routed() {
      return routed
    },
    get count() {
      return count
    },
    step: async () => {
      const slice = createSlices(deps.clock)
      const upTo = deps.streams.position()
      const limit = OUTBOX_LIMITS.eventsRoutedAtOnce
      const rows = await outgoingEvents(deps.db, { after: routed, upTo, limit })
      const leaving = leavingServers(rows)
      for (const [index, row] of rows.entries()) {
        await route(row, leaving[index]!)
        await slice()
      }
      return rows.length === limit
    },
  }
}

/** For each event the servers that it or a later one took out of its room: they may have been in there. */
function leavingServers(rows: readonly OutgoingEventRow[]): readonly ReadonlySet<ServerName>[] {
  const byRoom = new Map<number, ReadonlySet<ServerName>>()
  const leaving = rows.toReversed().map((row) => {
    const later = byRoom.get(row.room_nid) ?? new Set()
    const all = row.departed === null ? later : later.union(new Set(departedServers(row.departed)))
    byRoom.set(row.room_nid, all)
    return all
  })
  return leaving.toReversed()
}
