/** A room's state at an event, and the events that allow it. <https://spec.matrix.org/v1.19/server-server-api/#retrieving-events> */
import { matrixError } from '@holdfast/protocol/errors'
import type { EventId, ServerName } from '@holdfast/protocol/ids/brand'
import { yieldToLoop } from '@holdfast/platform/clock/yield'
import { forEachInStateMap } from '@holdfast/protocol/state/state-map'
import type { Homeserver } from '../../homeserver.ts'
import { eventIds } from '../../storage/event-graph.ts'
import { eventsByNid } from '../../storage/events.ts'
import { stateEventAt } from '../current-state.ts'
import { redactedCopy } from '../erased-content.ts'
import type { StoredEvent } from '../event-store.ts'
import type { RoomHead } from '../room-heads.ts'
import type { ReadDeps } from '../visible-events.ts'
import { authChain } from './auth-chain.ts'
import { requireEvent } from './known-event.ts'
import { openPace } from './pace.ts'
import { isInState, serverVisibility, type ServerVisibility } from './server-visibility.ts'
import { stateBefore } from './state-before.ts'
import { wirePdu, wireText, type WireDeps } from './wire-pdu.ts'

export type StateDeps = ReadDeps & WireDeps & Pick<Homeserver, 'authGraph'>

/** Nids of a state, and of its auth chain. */
export type ServedState = {
  readonly event: StoredEvent
  readonly state: readonly number[]
  readonly chain: readonly number[]
}

/** @throws {MatrixError} M_NOT_FOUND where the event or the state before it is not known */
export async function stateAtEvent(deps: StateDeps, head: RoomHead, eventId: EventId): Promise<ServedState> {
  const event = await requireEvent(deps, head, eventId)
  const map = await stateBefore(deps, event)
  if (map === undefined) throw matrixError('M_NOT_FOUND', 'The state at this event is not known here.')
  const state: number[] = []
  forEachInStateMap(map, (_key, eventNid) => state.push(eventNid))
  return { event, state, chain: await chainOf(deps, head, state) }
}

/** The auth chain of events of a room, with the create event in room versions where the room id stands for it. */
export async function chainOf(
  deps: StateDeps,
  head: RoomHead,
  eventNids: readonly number[],
): Promise<readonly number[]> {
  const chain = await authChain(deps, eventNids)
  if (!head.rules.roomIdIsCreateHash) return chain
  const create = await stateEventAt(deps, head.state.map, { type: 'm.room.create', stateKey: '' })
  if (create === undefined || (chain.length === 0 && eventNids.every((nid) => nid === create.nid))) return chain
  return [...new Set(chain).add(create.nid)]
}

const IDS_PER_READ = 500

export async function idsOf(deps: Pick<Homeserver, 'db'>, nids: readonly number[]): Promise<readonly string[]> {
  const pace = openPace(IDS_PER_READ)
  const ids: string[] = []
  for (let start = 0; start < nids.length; start += IDS_PER_READ) {
    const rows = await eventIds(deps.db, nids.slice(start, start + IDS_PER_READ))
    for (const { event_id } of rows) ids.push(event_id)
    await pace.spent(rows.length)
  }
  return ids
}

/** Events of these types allow others. A server that lacks part of one could come to another verdict than we did. */
const AUTH_TYPES = [
  'm.room.create',
  'm.room.power_levels',
  'm.room.join_rules',
  'm.room.member',
  'm.room.third_party_invite',
] as const

/** Signing, where it is due, is most of the cost of an event: a tenth of a millisecond. */
const EVENTS_PER_SLICE = 25

/**
 * Texts of state or auth events, in parts to be joined by commas. A server gets the state at an event whole if it may read
 * the event. Where it may not, as before it was in the room, it gets what allows other events, what holds still, and what
 * it may read for itself; the rest redacted.
 */
export async function stateTexts(
  deps: StateDeps,
  asking: { readonly origin: ServerName; readonly head: RoomHead; readonly event: StoredEvent },
  nids: readonly number[],
): Promise<readonly string[]> {
  const visibility = serverVisibility(deps, asking.head, asking.origin)
  const isWhole = await visibility.mayRead(asking.event)
  const authTypes = new Set(await Promise.all(AUTH_TYPES.map((type) => deps.dictionary.internEventType(type))))
  const parts: string[] = []
  for (let start = 0; start < nids.length; start += EVENTS_PER_SLICE) {
    if (start > 0) await yieldToLoop()
    const texts: string[] = []
    // The events of a large room would push everything else out of the cache, and most need no look into them.
    for (const row of await eventsByNid(deps.db, nids.slice(start, start + EVENTS_PER_SLICE))) {
      if (isWhole || authTypes.has(row.type_nid)) texts.push(wireText(deps, row, asking.head.rules))
      else
        for (const event of await deps.events.fromRows([row]))
          texts.push(await shownText(deps, asking.head, visibility, event))
    }
    // Joined while they are few: what is left to join at the end must not hold the loop.
    if (texts.length > 0) parts.push(texts.join(','))
  }
  return parts
}

async function shownText(
  deps: StateDeps,
  head: RoomHead,
  visibility: ServerVisibility,
  event: StoredEvent,
): Promise<string> {
  const isShown = isInState(head, event) || (await visibility.mayRead(event))
  return wirePdu(deps, isShown ? event : redactedCopy(event, head.rules))
}
