/** A room's state at an event, and the events that allow it. <https://spec.matrix.org/v1.19/server-server-api/#retrieving-events> */
import { matrixError } from '@holdfast/protocol/errors'
import type { EventId, ServerName } from '@holdfast/protocol/ids/brand'
import { forEachInStateMap } from '@holdfast/protocol/state/state-map'
import type { Homeserver } from '../../homeserver.ts'
import { eventIds } from '../../storage/event-graph.ts'
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
import { wirePdu, type WireDeps } from './wire-pdu.ts'

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

const IDS_PER_READ = 1_000

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
const AUTH_TYPES: ReadonlySet<string> = new Set([
  'm.room.create',
  'm.room.power_levels',
  'm.room.join_rules',
  'm.room.member',
  'm.room.third_party_invite',
])

const EVENTS_PER_READ = 40

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
  const pace = openPace(EVENTS_PER_READ)
  const texts: string[] = []
  for (let start = 0; start < nids.length; start += EVENTS_PER_READ) {
    const events = await deps.events.byNids(nids.slice(start, start + EVENTS_PER_READ))
    for (const event of events.values()) {
      const shown = isWhole ? event : await shownState(asking.head, visibility, event)
      texts.push(await wirePdu(deps, shown))
    }
    await pace.spent(events.size)
  }
  return texts
}

async function shownState(head: RoomHead, visibility: ServerVisibility, event: StoredEvent): Promise<StoredEvent> {
  if (AUTH_TYPES.has(event.pdu.type) || isInState(head, event) || (await visibility.mayRead(event))) return event
  return redactedCopy(event, head.rules)
}
