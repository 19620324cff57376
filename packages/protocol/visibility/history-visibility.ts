/** Who may read an event of a room's past. <https://spec.matrix.org/v1.19/client-server-api/#room-history-visibility> */
import { isObject, type JsonValue } from '../json/value.ts'

export type HistoryVisibility = 'world_readable' | 'shared' | 'invited' | 'joined'
export type Membership = 'join' | 'invite' | 'leave' | 'ban' | 'knock'

const HISTORY_VISIBILITIES: ReadonlySet<unknown> = new Set(['world_readable', 'shared', 'invited', 'joined'])
const MEMBERSHIPS: ReadonlySet<unknown> = new Set(['join', 'invite', 'leave', 'ban', 'knock'])

/** The visibility in the content of an m.room.history_visibility event; `shared` when there is none or it is not understood. */
export function parseHistoryVisibility(content: JsonValue | undefined): HistoryVisibility {
  const value = isObject(content) ? content['history_visibility'] : undefined
  return HISTORY_VISIBILITIES.has(value) ? (value as HistoryVisibility) : 'shared'
}

/** The membership in the content of an m.room.member event; undefined when it is none. */
export function parseMembership(content: JsonValue | undefined): Membership | undefined {
  const value = isObject(content) ? content['membership'] : undefined
  return MEMBERSHIPS.has(value) ? (value as Membership) : undefined
}

/** What was so when the event came, and what became of the reader afterwards. */
export type ReadQuestion = {
  /** In the state before the event. */
  readonly historyVisibilityAtEvent: HistoryVisibility
  /** Of the reader, in the state before the event; undefined when there is no membership. */
  readonly membershipAtEvent: Membership | undefined
  /** The reader joined the room after the event, whether or not they are in it still. */
  readonly joinedAfterEvent: boolean
  /** Only for m.room.history_visibility events: what the event sets. */
  readonly historyVisibilitySet?: HistoryVisibility
  /** Only for the reader's own m.room.member event: what the event sets. */
  readonly membershipSet?: Membership
}

/**
 * Whether a user may read an event. A member who left keeps what they could read, down to their own leave event: none of this asks
 * whether they are in the room now.
 */
export function mayReadEvent(question: ReadQuestion): boolean {
  const { historyVisibilityAtEvent, historyVisibilitySet, membershipAtEvent, membershipSet, joinedAfterEvent } =
    question
  // The own removal is always shown, or a client would not learn that an invite is gone.
  if (membershipSet !== undefined && isRemoval(membershipSet) && isConcerned(membershipAtEvent)) return true
  const visibilities = [historyVisibilityAtEvent, historyVisibilitySet ?? historyVisibilityAtEvent]
  const memberships = [membershipAtEvent, membershipSet ?? membershipAtEvent]
  return visibilities.some((visibility) =>
    memberships.some((membership) => isReadable(visibility, membership, joinedAfterEvent)),
  )
}

/** The five rules of the specification, in their order. */
function isReadable(visibility: HistoryVisibility, membership: Membership | undefined, joinedAfter: boolean): boolean {
  if (visibility === 'world_readable' || membership === 'join') return true
  if (visibility === 'shared' && joinedAfter) return true
  return visibility === 'invited' && membership === 'invite'
}

function isRemoval(membership: Membership): boolean {
  return membership === 'leave' || membership === 'ban'
}

/** Whether the user had something that a removal ends. */
function isConcerned(membership: Membership | undefined): boolean {
  return membership === 'join' || membership === 'invite' || membership === 'knock'
}

/** What was so when the event came, for all users of a server together. */
export type ServerReadQuestion = {
  readonly historyVisibilityAtEvent: HistoryVisibility
  readonly historyVisibilitySet?: HistoryVisibility
  /** Some user of the server had this membership in the state before the event, or has it by the event itself. */
  readonly hadJoinedUser: boolean
  readonly hadInvitedUser: boolean
  /** Some user of the server is in the room now, or joined it after the event. */
  readonly joinedAfterEvent: boolean
}

/** Whether a server may be given an event in full. Whoever is not in the room must be turned away before. */
export function mayServerReadEvent(question: ServerReadQuestion): boolean {
  const { historyVisibilityAtEvent, historyVisibilitySet, hadJoinedUser, hadInvitedUser, joinedAfterEvent } = question
  if (hadJoinedUser) return true
  return [historyVisibilityAtEvent, historyVisibilitySet ?? historyVisibilityAtEvent].some((visibility) =>
    isReadable(visibility, hadInvitedUser ? 'invite' : undefined, joinedAfterEvent),
  )
}
