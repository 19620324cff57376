/** One event of a room's past, fetched before what lies between it and us: it stands alone in the gap, which remains. */
import type { EventId } from '@holdfast/protocol/ids/brand'
import { askEvent } from '../../federation/remote-rooms/ask.ts'
import { EVENT_FLAGS, neighbourEvent } from '../../storage/events.ts'
import type { StoredEvent } from '../event-store.ts'
import { acceptEvents } from './accept-events.ts'
import { checkIncoming } from './check-incoming.ts'
import type { FetchFrom } from './fetch-missing.ts'
import { FILL_MS_MAX, statesBefore, type FillDeps } from './fill-gap.ts'
import { runInTime } from './room-inboxes.ts'

/** Left free on its newer side, where nothing older is here: more events than a room's history is likely to have between. */
const DISTANCE = 1_000_000

/** @returns the event with its place, or undefined if it could not be had or does not belong into the gap */
export async function fetchPastEvent(
  deps: FillDeps,
  from: FetchFrom,
  wanted: { readonly eventId: EventId; readonly gapNid: number },
): Promise<StoredEvent | undefined> {
  const { room, server, signal } = from
  const asking = { client: deps.federation.client, server, signal, urgent: true }
  return runInTime(deps.inboxes, { roomId: room.roomId, waitMsMax: FILL_MS_MAX }, async () => {
    const value = await askEvent(asking, wanted.eventId)
    const { incoming } = await checkIncoming(deps, room, { values: value === undefined ? [] : [{ value }], signal })
    const [only] = incoming.filter(({ parsed }) => parsed.pdu.eventId === wanted.eventId)
    const position = await placeInGap(deps, room.roomNid, wanted.gapNid)
    if (only === undefined || position === undefined) return undefined
    const statesAfter = await statesBefore(deps, from, [only])
    const gap = { position, eventNid: wanted.gapNid, remains: true }
    await acceptEvents(deps, room, { arrivals: [{ incoming: only, statesAfter }], time: 'past', gap })
    return deps.events.inRoom(room.roomNid, wanted.eventId)
  })
}

/** In the middle, since nobody knows how much is on either side. undefined: the gap is closed, or has no room left. */
async function placeInGap(deps: FillDeps, roomNid: number, gapNid: number): Promise<number | undefined> {
  const after = await deps.events.byNid(gapNid)
  if (after === undefined || (after.flags & EVENT_FLAGS.gap) === 0) return undefined
  const before = await neighbourEvent(deps.db, { roomNid, position: after.position, side: 'before' })
  if (before === undefined) return after.position - DISTANCE
  const free = after.position - before.position - 1
  return free < 2 ? undefined : after.position - Math.floor(free / 2)
}
