/** One room that the user is in or was in, as it stands in a sync. */
import { applyEventFields } from '@holdfast/protocol/filter/event-fields'
import type { JsonObject } from '@holdfast/protocol/json/value'
import { stateMapGet, stateMapRemove, stateMapSet, type StateMap } from '@holdfast/protocol/state/state-map'
import type { StoredEvent } from '../rooms/event-store.ts'
import { clientEvents } from '../rooms/client-events.ts'
import { federationEvents } from '../rooms/federation-events.ts'
import type { RoomHead } from '../rooms/room-heads.ts'
import { EMPTY_STATE, type RoomState } from '../rooms/state-store.ts'
import { changesMembers, movesMembers, stateAt, stateBefore, stateChanges } from './room-state.ts'
import { sentMembersOf } from './sent-members.ts'
import { roomSummary, summaryText } from './summary.ts'
import type { SyncContext, SyncRoom } from './sync-context.ts'
import { streamToken } from './sync-token.ts'
import { loadTimeline, type Timeline } from './timeline.ts'

/** Texts of the parts that other folders contribute to a joined room. */
export type RoomExtras = { readonly ephemeral: readonly string[]; readonly accountData: readonly string[] }

export type RoomSpan = {
  /** What the client has of the room; undefined: nothing. */
  readonly since: number | undefined
  /** The end of what is told: `context.upTo`, or where the user left. */
  readonly upTo: number
  /** The client may still have the room from an earlier stay, and has to begin it anew. */
  readonly isAnother: boolean
  /** The end of an invitation after that stay: it closes the timeline, whose own end lies before it. */
  readonly closing?: StoredEvent | undefined
}

const TIMELINE_LIMIT_DEFAULT = 10
const TIMELINE_LIMIT_MAX = 100

/** The text of the section; undefined if it has nothing to tell. */
export async function roomSection(room: SyncRoom, span: RoomSpan, extras: RoomExtras): Promise<string | undefined> {
  const { context, membership } = room
  const { deps, filter, requester } = context
  const isJoined = membership.membership === 'join'
  const head = isJoined ? await deps.heads.byNid(membership.roomNid) : undefined
  const states = await statesOf(deps, membership.roomNid, { span, head })
  const loaded = await loadTimeline(deps, {
    roomNid: membership.roomNid,
    reader: requester,
    ignored: context.ignored,
    after: span.since ?? Number.MIN_SAFE_INTEGER,
    upTo: span.upTo,
    limit: Math.min(filter.room.timeline.limit ?? TIMELINE_LIMIT_DEFAULT, TIMELINE_LIMIT_MAX),
    filter: filter.room.timeline,
    leadingTo: context.useStateAfter ? undefined : states.to.map,
  })
  const timeline = span.isAnother ? { ...loaded, limited: true } : loaded
  const isNew = span.since === undefined
  const summary =
    head !== undefined && (isNew || (await mayChangeSummary(deps, timeline, states)))
      ? await roomSummary(context, head)
      : undefined
  const state = await toldState(room, { span, states, timeline, heroes: isNew ? (summary?.heroes ?? []) : [] })
  const isEmpty = timeline.events.length === 0 && !timeline.limited && state.length === 0 && summary === undefined
  const hasExtras = extras.ephemeral.length > 0 || extras.accountData.length > 0
  if (isEmpty && !hasExtras && !isNew && !context.fullState) return undefined
  const parts = [
    `"timeline":${await timelineText(context, timeline, span.closing)}`,
    `"${context.useStateAfter ? 'state_after' : 'state'}":{"events":[${(await texts(context, state, 'state')).join(',')}]}`,
    `"account_data":{"events":[${extras.accountData.join(',')}]}`,
  ]
  if (isJoined) parts.push(`"ephemeral":{"events":[${extras.ephemeral.join(',')}]}`)
  if (summary !== undefined) parts.push(`"summary":${summaryText(summary)}`)
  return `{${parts.join(',')}}`
}

/** The room's states at both ends of a span. */
type SpanStates = { readonly from: RoomState; readonly to: RoomState }

async function statesOf(
  deps: SyncContext['deps'],
  roomNid: number,
  { span, head }: { readonly span: RoomSpan; readonly head: RoomHead | undefined },
): Promise<SpanStates> {
  const present = head !== undefined && head.lastPosition <= span.upTo ? head : undefined
  const to = present?.state ?? (await stateAt(deps, roomNid, span.upTo))
  if (span.since === undefined) return { from: EMPTY_STATE, to }
  const isSame = present !== undefined && present.stateSince <= span.since
  return { from: isSame ? to : await stateAt(deps, roomNid, span.since), to }
}

async function mayChangeSummary(deps: SyncContext['deps'], timeline: Timeline, states: SpanStates): Promise<boolean> {
  return timeline.limited || changesMembers(timeline.events) || movesMembers(deps, states)
}

/**
 * What brings the client to the state at the end of the span, together with the timeline unless it wants that state itself.
 * Branches that meet change state that no event of the timeline sets.
 */
async function toldState(
  { context, membership }: SyncRoom,
  told: {
    readonly span: RoomSpan
    readonly states: SpanStates
    readonly timeline: Timeline
    readonly heroes: readonly string[]
  },
): Promise<readonly StoredEvent[]> {
  const { span, states, timeline, heroes } = told
  const isNew = span.since === undefined
  const wantsAll = isNew || context.fullState
  const lazy = context.filter.room.state.lazyLoadMembers
  if (!wantsAll && !lazy && states.from.nid === states.to.nid) return []
  return stateChanges(context, {
    from: wantsAll ? undefined : states.from.map,
    to: context.useStateAfter ? states.to.map : await stateBeforeTimeline(context.deps, told),
    timeline: timeline.events,
    alsoMembers: heroes,
    sentMembers: lazy ? sentMembersOf(context, membership.roomNid, isNew) : undefined,
  })
}

/** The state at the end, without what the timeline makes of it. */
async function stateBeforeTimeline(
  deps: SyncContext['deps'],
  { span, states, timeline }: { readonly span: RoomSpan; readonly states: SpanStates; readonly timeline: Timeline },
): Promise<StateMap> {
  const changed = timeline.events.filter(({ stateKeyNid }) => stateKeyNid !== undefined)
  if (changed.length === 0) return states.to.map
  const isWhole = span.since !== undefined && !timeline.limited
  const before = isWhole ? states.from.map : await stateBefore(deps, timeline.events[0]!)
  let map = states.to.map
  for (const { stateKeyNid } of changed) {
    const nid = stateMapGet(before, stateKeyNid!)
    map = nid === undefined ? stateMapRemove(map, stateKeyNid!) : stateMapSet(map, stateKeyNid!, nid)
  }
  return map
}

async function timelineText(
  context: SyncContext,
  timeline: Timeline,
  closing: StoredEvent | undefined,
): Promise<string> {
  const shown = closing === undefined ? timeline.events : [...timeline.events, closing]
  const events = (await texts(context, shown, 'timeline')).join(',')
  return `{"events":[${events}],"limited":${timeline.limited},"prev_batch":"${streamToken(timeline.start)}"}`
}

async function texts(
  context: SyncContext,
  events: readonly StoredEvent[],
  as: 'timeline' | 'state',
): Promise<readonly string[]> {
  const { deps, filter, requester } = context
  if (filter.eventFormat === 'federation') return federationEvents(deps, events, requester)
  const whole = await clientEvents(deps, events, { reader: requester, room: 'without-room-id', as })
  const fields = filter.eventFields
  if (fields === undefined) return whole
  return whole.map((text) => JSON.stringify(applyEventFields(JSON.parse(text) as JsonObject, fields)))
}
