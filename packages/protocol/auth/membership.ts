/** The rules for m.room.member. <https://spec.matrix.org/v1.19/rooms/v12/#authorisation-rules> */
import type { Pdu } from '../event/pdu.ts'
import { serverNameOf } from '../ids/common.ts'
import type { ServerName } from '../ids/brand.ts'
import { parseUserId } from '../ids/user-id.ts'
import type { RoomRules } from '../room-version/rules.ts'
import { ALLOWED, reject } from './auth-rules.ts'
import type { AuthVerdict } from './auth-rules.ts'
import type { AuthState } from './auth-state.ts'
import { creatorOf, joinRuleOf, membershipOf, own } from './auth-state.ts'
import type { PowerLevels } from './power-levels.ts'
import { checkThirdPartyInvite } from './third-party-invite.ts'

export type MembershipCheck = {
  readonly rules: RoomRules
  readonly event: Pdu
  readonly state: AuthState
  readonly create: Pdu
  readonly levels: PowerLevels
  /** The servers whose signature on the event holds; undefined when signatures were checked before. */
  readonly signedBy: ReadonlySet<string> | undefined
}

type TargetedCheck = MembershipCheck & { readonly target: string }

export function checkMembership(check: MembershipCheck): AuthVerdict {
  const { event, rules } = check
  const membership = own(event.content, 'membership')
  if (event.stateKey === undefined || membership === undefined) return reject('member-malformed')
  if (!isSignedByAuthorisingServer(check)) return reject('member-authorising-signature')
  const targeted = { ...check, target: event.stateKey }
  if (membership === 'join') return checkJoin(targeted)
  if (membership === 'invite') return checkInvite(targeted)
  if (membership === 'leave') return checkLeave(targeted)
  if (membership === 'ban') return checkBan(targeted)
  if (membership === 'knock' && rules.knocking) return checkKnock(targeted)
  return reject('membership-unknown')
}

/**
 * The server that must have signed because the event names its user in `join_authorised_via_users_server`. `null`: the
 * property is there and names no user, so that no signature can satisfy it. undefined: there is no such demand.
 */
export function authorisingServerOf(
  rules: RoomRules,
  event: Pick<Pdu, 'content' | 'type'>,
): ServerName | null | undefined {
  if (!rules.restrictedJoins || event.type !== 'm.room.member') return undefined
  const authoriser = own(event.content, 'join_authorised_via_users_server')
  if (authoriser === undefined) return undefined
  const user = typeof authoriser === 'string' ? parseUserId(authoriser) : undefined
  return user === undefined ? null : serverNameOf(user)
}

function isSignedByAuthorisingServer({ rules, event, signedBy }: MembershipCheck): boolean {
  const server = authorisingServerOf(rules, event)
  if (server === undefined) return true
  return server !== null && (signedBy === undefined || signedBy.has(server))
}

function checkJoin(check: TargetedCheck): AuthVerdict {
  const { event, rules, state, create, target } = check
  const isFirst = event.prevEvents.length === 1 && event.prevEvents[0] === create.eventId
  if (isFirst && target === creatorOf(rules, create)) return ALLOWED
  if (event.sender !== target) return reject('join-for-other-user')
  const membership = membershipOf(state, event.sender)
  if (membership === 'ban') return reject('join-banned')
  const isWelcome = membership === 'invite' || membership === 'join'
  const joinRule = joinRuleOf(state)
  if (joinRule === 'public') return ALLOWED
  if (joinRule === 'invite' || (joinRule === 'knock' && rules.knocking)) {
    return isWelcome ? ALLOWED : reject('join-not-allowed')
  }
  if (isRestricted(rules, joinRule)) {
    return isWelcome || isVouchedFor(check) ? ALLOWED : reject('join-not-vouched-for')
  }
  return reject('join-not-allowed')
}

function isRestricted(rules: RoomRules, joinRule: string | undefined): boolean {
  return (
    (joinRule === 'restricted' && rules.restrictedJoins) || (joinRule === 'knock_restricted' && rules.knockRestricted)
  )
}

/** Whether a member of the room who may invite has authorised the join. */
function isVouchedFor({ event, state, levels }: TargetedCheck): boolean {
  const authoriser = own(event.content, 'join_authorised_via_users_server')
  if (typeof authoriser !== 'string' || membershipOf(state, authoriser) !== 'join') return false
  return levels.ofUser(authoriser) >= levels.invite
}

function checkInvite({ event, state, levels, target }: TargetedCheck): AuthVerdict {
  if (own(event.content, 'third_party_invite') !== undefined) return checkThirdPartyInvite(event, target, state)
  if (membershipOf(state, event.sender) !== 'join') return reject('invite-sender-not-joined')
  const membership = membershipOf(state, target)
  if (membership === 'join' || membership === 'ban') return reject('invite-target-joined-or-banned')
  return levels.ofUser(event.sender) >= levels.invite ? ALLOWED : reject('invite-power-too-low')
}

function checkLeave(check: TargetedCheck): AuthVerdict {
  const { event, rules, state, levels, target } = check
  const membership = membershipOf(state, event.sender)
  if (event.sender === target) {
    const hasSomethingToLeave =
      membership === 'invite' || membership === 'join' || (membership === 'knock' && rules.knocking)
    return hasSomethingToLeave ? ALLOWED : reject('leave-not-in-room')
  }
  if (membership !== 'join') return reject('kick-sender-not-joined')
  const level = levels.ofUser(event.sender)
  if (membershipOf(state, target) === 'ban' && level < levels.ban) return reject('unban-power-too-low')
  return level >= levels.kick && levels.ofUser(target) < level ? ALLOWED : reject('kick-power-too-low')
}

function checkBan({ event, state, levels, target }: TargetedCheck): AuthVerdict {
  if (membershipOf(state, event.sender) !== 'join') return reject('ban-sender-not-joined')
  const level = levels.ofUser(event.sender)
  return level >= levels.ban && levels.ofUser(target) < level ? ALLOWED : reject('ban-power-too-low')
}

function checkKnock({ event, rules, state, target }: TargetedCheck): AuthVerdict {
  const joinRule = joinRuleOf(state)
  if (joinRule !== 'knock' && !(joinRule === 'knock_restricted' && rules.knockRestricted)) {
    return reject('knock-not-allowed')
  }
  if (event.sender !== target) return reject('knock-for-other-user')
  const membership = membershipOf(state, event.sender)
  const isNeedless = membership === 'ban' || membership === 'invite' || membership === 'join'
  return isNeedless ? reject('knock-needless-or-banned') : ALLOWED
}
