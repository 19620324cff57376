/** Puts committed events into the lanes of the servers that have to hear of them. */
import type { ServerName } from '@holdfast/protocol/ids/brand'
import { createSlices } from '@holdfast/platform/clock/slices'
import type { Homeserver } from '../../homeserver.ts'
import { outgoingEvents, type OutgoingEventRow } from '../../storage/federation-rooms.ts'
import { type Lane, type OwedEvent, pushEvent } from './lane.ts'
import { OUTBOX_LIMITS } from './limits.ts'
import { destinationsOf } from './route-event.ts'

export type FollowEventsDeps = Pick<Homeserver, 'db' | 'clock' | 'events' | 'heads' | 'serverName' | 'streams'> & {
  readonly laneOf: (server: ServerName) => Lane
  readonly wake: (lane: Lane) => void
  /** Events up to here were there before the start. */
  readonly startPosition: number
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

  async function route(row: OutgoingEventRow): Promise<void> {
    const event = await deps.events.byNid(row.event_nid)
    // An event of a room that was removed has nobody to go to.
    const servers = event === undefined ? [] : await destinationsOf(deps, event, row.departed)
    const owed: OwedEvent = {
      position: row.position,
      roomNid: row.room_nid,
      eventNid: row.event_nid,
      isOld: row.position <= deps.startPosition,
    }
    const nowMs = deps.clock.monotonicMs()
    for (const server of servers) {
      const lane = deps.laneOf(server)
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
      for (const row of rows) {
        await route(row)
        await slice()
      }
      return rows.length === limit
    },
  }
}
