/** One room that the user is in or was in, as it stands in a sync. */
import { applyEventFields } from '@holdfast/protocol/filter/event-fields'
import type { JsonObject } from '@holdfast/protocol/json/value'
import { stateMapSet, type StateMap } from '@holdfast/protocol/state/state-map'
import type { StoredEvent } from '../rooms/event-store.ts'
import { clientEvents } from '../rooms/client-events.ts'
import { federationEvents } from '../rooms/federation-events.ts'
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
  const loaded = await loadTimeline(deps, {
    roomNid: membership.roomNid,
    reader: requester,
    ignored: context.ignored,
    after: span.since ?? Number.MIN_SAFE_INTEGER,
    upTo: span.upTo,
    limit: Math.min(filter.room.timeline.limit ?? TIMELINE_LIMIT_DEFAULT, TIMELINE_LIMIT_MAX),
    filter: filter.room.timeline,
    state: context.useStateAfter ? 'after' : 'before',
  })
  const timeline = span.isAnother ? { ...loaded, limited: true } : loaded
  const isJoined = membership.membership === 'join'
  const isNew = span.since === undefined
  const head = isJoined ? await deps.heads.byNid(membership.roomNid) : undefined
  const summary =
    head !== undefined && (span.since === undefined || (await mayChangeSummary(deps, timeline, span.since)))
      ? await roomSummary(context, head)
      : undefined
  const state = await stateOf(room, span, timeline, isNew ? (summary?.heroes ?? []) : [])
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

async function mayChangeSummary(deps: SyncContext['deps'], timeline: Timeline, since: number): Promise<boolean> {
  if (timeline.limited || changesMembers(timeline.events)) return true
  return timeline.unshown.size > 0 && movesMembers(deps, { nids: timeline.unshown.values(), since })
}

async function stateOf(
  { context, membership }: SyncRoom,
  span: RoomSpan,
  timeline: Timeline,
  heroes: readonly string[],
): Promise<readonly StoredEvent[]> {
  const { deps } = context
  const { roomNid } = membership
  const isNew = span.since === undefined
  const wantsAll = isNew || context.fullState
  const lazy = context.filter.room.state.lazyLoadMembers
  const hasStateChange = timeline.events.some(({ pdu }) => pdu.stateKey !== undefined)
  const hasGap = timeline.limited || timeline.unshown.size > 0
  if (!wantsAll && !hasGap && !lazy && !(context.useStateAfter && hasStateChange)) return []
  const first = timeline.events[0]
  const to: StateMap =
    context.useStateAfter || first === undefined
      ? await stateAt(deps, roomNid, span.upTo)
      : withChanges(await stateBefore(deps, first), timeline.unshown)
  // Without a gap the client knows the state before the timeline, so only lazily loaded members can be missing.
  const known = hasGap || context.useStateAfter ? await stateAt(deps, roomNid, span.since ?? 0) : to
  return stateChanges(context, {
    from: wantsAll ? undefined : known,
    to,
    timeline: timeline.events,
    alsoMembers: heroes,
    sentMembers: lazy ? sentMembersOf(context, roomNid, isNew) : undefined,
  })
}

function withChanges(state: StateMap, changes: ReadonlyMap<number, number>): StateMap {
  let changed = state
  for (const [stateKeyNid, nid] of changes) changed = stateMapSet(changed, stateKeyNid, nid)
  return changed
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
