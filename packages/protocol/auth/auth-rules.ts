/** The catalogue of authorisation rules: a stable name, the number in each room version's text, and a sentence. */
import type { RoomRules } from '../room-version/rules.ts'

type Entry = {
  /** From this room version on, the rule has this number; null: there is no such rule (any more). */
  readonly at: Readonly<Record<number, string | null>>
  readonly message: string
}

/**
 * Every reason for a refusal, in the order of the specification. Numbers are those of the rendered pages, for example
 * <https://spec.matrix.org/v1.19/rooms/v6/#authorisation-rules>.
 */
export const AUTH_RULES = {
  'create-has-prev-events': { at: { 1: '1.1' }, message: 'A create event must be the first event of its room.' },
  'create-room-id-of-other-server': {
    at: { 1: '1.2', 12: null },
    message: 'The room ID belongs to another server than the sender.',
  },
  'create-has-room-id': { at: { 12: '1.2' }, message: 'A create event of this room version must not have a room_id.' },
  'create-room-version-unknown': { at: { 1: '1.3' }, message: 'The room version in the create event is not known.' },
  'create-without-creator': { at: { 1: '1.4', 11: null }, message: 'The create event does not name its creator.' },
  'create-additional-creators-malformed': {
    at: { 12: '1.4' },
    message: 'additional_creators must be a list of user IDs.',
  },
  'room-not-created': { at: { 12: '2' }, message: 'The room ID is not that of an accepted create event.' },
  'auth-events-duplicate': {
    at: { 1: '2.1', 12: '3.1' },
    message: 'Two auth events stand for the same type and state key.',
  },
  'auth-events-unselected': {
    at: { 1: '2.2', 12: '3.2' },
    message: 'An auth event is not among those that an event of this kind may cite.',
  },
  'auth-events-rejected': { at: { 1: '2.3', 12: '3.3' }, message: 'An auth event was itself rejected.' },
  'auth-events-without-create': {
    at: { 1: '2.4', 12: null },
    message: 'The create event is not among the auth events.',
  },
  'auth-events-of-other-room': { at: { 1: '2.5', 12: '3.4' }, message: 'An auth event belongs to another room.' },
  'not-federated': {
    at: { 1: '3', 12: '4' },
    message: 'The room does not federate, and the sender is of another server than its creator.',
  },
  'aliases-without-state-key': { at: { 1: '4.1', 6: null }, message: 'm.room.aliases needs a state key.' },
  'aliases-of-other-server': { at: { 1: '4.2', 6: null }, message: 'A server sets only its own m.room.aliases.' },
  'member-malformed': {
    at: { 1: '5.1', 6: '4.1', 12: '5.1' },
    message: 'A membership needs a state key and a membership property.',
  },
  'member-authorising-signature': {
    at: { 8: '4.2.1', 12: '5.2.1' },
    message: 'The server of the user who authorises the join has not signed the event.',
  },
  'join-for-other-user': {
    at: { 1: '5.2.2', 6: '4.2.2', 8: '4.3.2', 12: '5.3.2' },
    message: 'Nobody can join for somebody else.',
  },
  'join-banned': {
    at: { 1: '5.2.3', 6: '4.2.3', 8: '4.3.3', 12: '5.3.3' },
    message: 'The sender is banned from the room.',
  },
  'join-not-vouched-for': {
    at: { 8: '4.3.5.2', 12: '5.3.5.2' },
    message: 'The join is not authorised by a member of the room who may invite.',
  },
  'join-not-allowed': {
    at: { 1: '5.2.6', 6: '4.2.6', 8: '4.3.7', 12: '5.3.7' },
    message: 'The join rules do not admit the sender without an invitation.',
  },
  'third-party-invite-banned': {
    at: { 1: '5.3.1.1', 6: '4.3.1.1', 8: '4.4.1.1', 12: '5.4.1.1' },
    message: 'The invited user is banned from the room.',
  },
  'third-party-invite-unsigned': {
    at: { 1: '5.3.1.2', 6: '4.3.1.2', 8: '4.4.1.2', 12: '5.4.1.2' },
    message: 'The third-party invitation has no signed part.',
  },
  'third-party-invite-malformed': {
    at: { 1: '5.3.1.3', 6: '4.3.1.3', 8: '4.4.1.3', 12: '5.4.1.3' },
    message: 'The signed part of the third-party invitation lacks the mxid or the token.',
  },
  'third-party-invite-for-other-user': {
    at: { 1: '5.3.1.4', 6: '4.3.1.4', 8: '4.4.1.4', 12: '5.4.1.4' },
    message: 'The third-party invitation is for another user.',
  },
  'third-party-invite-unknown': {
    at: { 1: '5.3.1.5', 6: '4.3.1.5', 8: '4.4.1.5', 12: '5.4.1.5' },
    message: 'The room has no third-party invitation with this token.',
  },
  'third-party-invite-by-other-user': {
    at: { 1: '5.3.1.6', 6: '4.3.1.6', 8: '4.4.1.6', 12: '5.4.1.6' },
    message: 'The third-party invitation was made by another user than the sender.',
  },
  'third-party-invite-signature': {
    at: { 1: '5.3.1.8', 6: '4.3.1.8', 8: '4.4.1.8', 12: '5.4.1.8' },
    message: 'No key of the third-party invitation has signed it.',
  },
  'invite-sender-not-joined': {
    at: { 1: '5.3.2', 6: '4.3.2', 8: '4.4.2', 12: '5.4.2' },
    message: 'Only members of the room can invite.',
  },
  'invite-target-joined-or-banned': {
    at: { 1: '5.3.3', 6: '4.3.3', 8: '4.4.3', 12: '5.4.3' },
    message: 'The invited user is in the room or banned from it.',
  },
  'invite-power-too-low': {
    at: { 1: '5.3.5', 6: '4.3.5', 8: '4.4.5', 12: '5.4.5' },
    message: 'The power level of the sender is too low to invite.',
  },
  'leave-not-in-room': {
    at: { 1: '5.4.1', 6: '4.4.1', 8: '4.5.1', 12: '5.5.1' },
    message: 'The sender has nothing to leave: no membership, invitation or knock.',
  },
  'kick-sender-not-joined': {
    at: { 1: '5.4.2', 6: '4.4.2', 8: '4.5.2', 12: '5.5.2' },
    message: 'Only members of the room can remove others.',
  },
  'unban-power-too-low': {
    at: { 1: '5.4.3', 6: '4.4.3', 8: '4.5.3', 12: '5.5.3' },
    message: 'The power level of the sender is too low to lift a ban.',
  },
  'kick-power-too-low': {
    at: { 1: '5.4.5', 6: '4.4.5', 8: '4.5.5', 12: '5.5.5' },
    message: 'The power level of the sender is too low to remove this user.',
  },
  'ban-sender-not-joined': {
    at: { 1: '5.5.1', 6: '4.5.1', 8: '4.6.1', 12: '5.6.1' },
    message: 'Only members of the room can ban.',
  },
  'ban-power-too-low': {
    at: { 1: '5.5.3', 6: '4.5.3', 8: '4.6.3', 12: '5.6.3' },
    message: 'The power level of the sender is too low to ban this user.',
  },
  'knock-not-allowed': {
    at: { 7: '4.6.1', 8: '4.7.1', 12: '5.7.1' },
    message: 'The join rules do not allow knocking.',
  },
  'knock-for-other-user': {
    at: { 7: '4.6.2', 8: '4.7.2', 12: '5.7.2' },
    message: 'Nobody can knock for somebody else.',
  },
  'knock-needless-or-banned': {
    at: { 7: '4.6.4', 8: '4.7.4', 12: '5.7.4' },
    message: 'The sender is in the room, invited to it or banned from it.',
  },
  'membership-unknown': {
    at: { 1: '5.6', 7: '4.7', 8: '4.8', 12: '5.8' },
    message: 'There is no such membership in this room version.',
  },
  'sender-not-joined': { at: { 1: '6', 6: '5', 12: '6' }, message: 'The sender is not a member of the room.' },
  'third-party-invite-power-too-low': {
    at: { 1: '7.1', 6: '6.1', 12: '7.1' },
    message: 'The power level of the sender is too low to invite.',
  },
  'power-too-low': {
    at: { 1: '8', 6: '7', 12: '8' },
    message: 'The power level of the sender is too low for an event of this type.',
  },
  'state-key-of-other-user': {
    at: { 1: '9', 6: '8', 12: '9' },
    message: 'The state key is the user ID of somebody else.',
  },
  'power-levels-property-malformed': {
    at: { 1: '10.3', 6: '9.3', 10: '9.1', 12: '10.1' },
    message: 'A level in the power levels is not an integer.',
  },
  'power-levels-event-malformed': {
    at: { 1: '10.4', 6: '9.4', 10: '9.2', 12: '10.2' },
    message: 'The levels of events or notifications must be an object of integers.',
  },
  'power-levels-users-malformed': {
    at: { 1: '10.1', 6: '9.1', 10: '9.3', 12: '10.3' },
    message: 'The levels of users must be an object of user IDs and integers.',
  },
  'power-levels-name-creator': {
    at: { 12: '10.4' },
    message: 'Creators stand above the power levels and cannot be listed in them.',
  },
  'power-levels-property-above-sender': {
    at: { 1: '10.3.1', 6: '9.3.1', 10: '9.5.1', 12: '10.6.1' },
    message: 'The sender cannot change a level that is above their own.',
  },
  'power-levels-property-raised-above-sender': {
    at: { 1: '10.3.2', 6: '9.3.2', 10: '9.5.2', 12: '10.6.2' },
    message: 'The sender cannot set a level above their own.',
  },
  'power-levels-event-above-sender': {
    at: { 1: '10.4.1', 6: '9.4.1', 10: '9.6.1', 12: '10.7.1' },
    message: 'The sender cannot change the level of an event that is above their own.',
  },
  'power-levels-event-raised-above-sender': {
    at: { 1: '10.5.1', 6: '9.5.1', 10: '9.7.1', 12: '10.8.1' },
    message: 'The sender cannot set the level of an event above their own.',
  },
  'power-levels-user-not-below-sender': {
    at: { 1: '10.6.1', 6: '9.6.1', 10: '9.8.1', 12: '10.9.1' },
    message: 'The sender cannot change the level of a user who is not below them.',
  },
  'power-levels-user-raised-above-sender': {
    at: { 1: '10.7.1', 6: '9.7.1', 10: '9.9.1', 12: '10.10.1' },
    message: 'The sender cannot give a user a level above their own.',
  },
  'redaction-not-allowed': {
    at: { 1: '11.3', 3: null },
    message: 'The sender may redact neither the events of others nor this event of another server.',
  },
} as const satisfies Record<string, Entry>

export type AuthRule = keyof typeof AUTH_RULES

export type AuthVerdict =
  | { readonly allowed: true }
  | { readonly allowed: false; readonly rule: AuthRule; readonly message: string }

export const ALLOWED: AuthVerdict = { allowed: true }

export function reject(rule: AuthRule): AuthVerdict {
  return { allowed: false, rule, message: AUTH_RULES[rule].message }
}

/** The number of the rule in the text of this room version; undefined if that version has no such rule. */
export function authRuleNumber(rule: AuthRule, rules: Pick<RoomRules, 'version'>): string | undefined {
  const at: Entry['at'] = AUTH_RULES[rule].at
  let number: string | null | undefined
  for (let version = 1; version <= Number(rules.version); version += 1) {
    if (at[version] !== undefined) number = at[version]
  }
  return number ?? undefined
}
