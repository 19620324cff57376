/** A room with more forward extremities than an event may follow: the next one follows some of them, and the others stay. */
import { SPEC_LIMITS } from '@holdfast/protocol/limits'
import type { Homeserver } from '../homeserver.ts'
import { memberChangesBetween } from './member-changes.ts'
import { BatchStates } from './receive/batch-states.ts'
import type { DraftEvent, RoomChanges } from './room-changes.ts'
import type { RoomDraft } from './room-draft.ts'
import type { RoomHead } from './room-heads.ts'
import type { RoomState } from './state-store.ts'

export type TipsDeps = Pick<Homeserver, 'events' | 'dictionary' | 'authGraph' | 'states' | 'nids'>

export type NarrowHead = {
  /** The head as the next event sees it: with the tips that it follows, and the state where those meet. */
  readonly head: RoomHead
  readonly whole: RoomHead
  /** The tips that it does not follow. */
  readonly others: RoomHead['extremities']
  /** States that this made, and that are to be stored. */
  readonly newStates: readonly RoomState[]
}

/** undefined: one event can follow all the tips. */
export async function narrowHead(deps: TipsDeps, whole: RoomHead): Promise<NarrowHead | undefined> {
  if (whole.extremities.length <= SPEC_LIMITS.prevEventsMax) return undefined
  // The oldest first, so that none of them stays for ever.
  const byDepth = [...whole.extremities].sort((a, b) => a.pdu.depth - b.pdu.depth)
  const followed = byDepth.slice(0, SPEC_LIMITS.prevEventsMax)
  const states = new BatchStates(deps, whole.rules, { event: () => undefined, authNids: () => undefined })
  const state = await states.merge(await Promise.all(followed.map(({ stateNid }) => states.load(stateNid))))
  const others = byDepth.slice(SPEC_LIMITS.prevEventsMax)
  return { head: { ...whole, state, extremities: followed }, whole, others, newStates: states.takeNew() }
}

/** The draft on the narrow head as a change of the whole room: the state is where its tips meet the others. */
export async function widened(deps: TipsDeps, draft: RoomDraft, narrow: NarrowHead): Promise<RoomChanges> {
  const { whole, others } = narrow
  const drafted = new Map<number, DraftEvent>(draft.events.map((event) => [event.event.nid, event]))
  const states = new BatchStates(deps, whole.rules, {
    event: (nid) => drafted.get(nid)?.event,
    authNids: (nid) => drafted.get(nid)?.edges.auth,
  })
  const made = new Map(draft.events.flatMap(({ newStates }) => newStates).map((state) => [state.nid, state]))
  const otherStates = await Promise.all(others.map(({ stateNid }) => states.load(stateNid)))
  const events: DraftEvent[] = []
  let state = whole.state
  let pending = narrow.newStates
  for (const event of draft.events) {
    const after = made.get(event.event.stateNid) ?? narrow.head.state
    state = await states.merge([after, ...otherStates])
    const newStates = [...pending, ...event.newStates, ...states.takeNew()]
    events.push({ ...event, newStates, roomStateNid: state.nid === after.nid ? undefined : state.nid })
    pending = []
  }
  const maps = { before: whole.state.map, after: state.map }
  const { room, roomId, sides, redactedNids, depth } = draft
  return {
    room,
    roomId,
    sides,
    redactedNids,
    depth,
    head: whole,
    events,
    state,
    tips: [...others, ...draft.tips],
    memberChanges: await memberChangesBetween(
      { ...deps, eventsByNid: (nids) => states.eventsByNid(nids) },
      maps,
      Math.max(events.length - 1, 0),
    ),
  }
}
