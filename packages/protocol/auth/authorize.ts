/** The authorisation rules against a room state, in the order of the specification. */
import type { Pdu } from '../event/pdu.ts'
import { serverNameOf } from '../ids/common.ts'
import { createEventIdOf } from '../ids/room-id.ts'
import type { RoomRules } from '../room-version/rules.ts'
import { declaredRoomVersion, rulesFor } from '../room-version/rules.ts'
import { ALLOWED, reject } from './auth-rules.ts'
import type { AuthVerdict } from './auth-rules.ts'
import type { AuthState } from './auth-state.ts'
import { hasSoundCreators, domainOf, own } from './auth-state.ts'
import { checkMembership } from './membership.ts'
import { checkPowerChange } from './power-change.ts'
import { powerLevels } from './power-levels.ts'
import type { PowerLevels } from './power-levels.ts'

export type AuthorizeOptions = {
  /**
   * The servers whose signatures on the event were found to hold. Give it when an event arrives: the rule on
   * `join_authorised_via_users_server` needs it. Without it that rule counts as checked, as for events that we made or stored.
   */
  readonly signedBy?: ReadonlySet<string>
}

/**
 * Whether the rules of the room version allow `event` in a room with this state. The rule about the event's own
 * `auth_events` is apart, in `checkAuthEvents`. <https://spec.matrix.org/v1.19/rooms/v12/#authorisation-rules>
 */
export function authorize(rules: RoomRules, event: Pdu, state: AuthState, options: AuthorizeOptions = {}): AuthVerdict {
  if (event.type === 'm.room.create') return checkCreate(rules, event)
  const create = state.get('m.room.create', '')
  if (create === undefined) return reject(rules.roomIdIsCreateHash ? 'room-not-created' : 'auth-events-without-create')
  if (rules.roomIdIsCreateHash && createEventIdOf(event.roomId) !== create.eventId) return reject('room-not-created')
  if (!mayFederate(event, create)) return reject('not-federated')
  if (event.type === 'm.room.aliases' && rules.aliasesRule) return checkAliases(event)
  const levels = powerLevels(rules, state)
  if (event.type === 'm.room.member') {
    return checkMembership({ rules, event, state, create, levels, signedBy: options.signedBy })
  }
  return checkOfMember({ rules, event, state, create, levels })
}

function checkCreate(rules: RoomRules, event: Pdu): AuthVerdict {
  if (event.prevEvents.length > 0) return reject('create-has-prev-events')
  if (rules.roomIdIsCreateHash) {
    // A create event that carries a room id keeps it in its parsed form, and no id can contain its own hash.
    if (createEventIdOf(event.roomId) !== event.eventId) return reject('create-has-room-id')
  } else if (domainOf(event.roomId) !== serverNameOf(event.sender)) return reject('create-room-id-of-other-server')
  const version = declaredRoomVersion(event.content)
  if (version === undefined || rulesFor(version) === undefined) return reject('create-room-version-unknown')
  if (rules.creatorInContent && own(event.content, 'creator') === undefined) return reject('create-without-creator')
  if (rules.creatorsAboveAll && !hasSoundCreators(event)) {
    return reject('create-additional-creators-malformed')
  }
  return ALLOWED
}

function mayFederate(event: Pdu, create: Pdu): boolean {
  return own(create.content, 'm.federate') !== false || serverNameOf(event.sender) === serverNameOf(create.sender)
}

function checkAliases(event: Pdu): AuthVerdict {
  if (event.stateKey === undefined) return reject('aliases-without-state-key')
  return event.stateKey === serverNameOf(event.sender) ? ALLOWED : reject('aliases-of-other-server')
}

type MemberCheck = {
  readonly rules: RoomRules
  readonly event: Pdu
  readonly state: AuthState
  readonly create: Pdu
  readonly levels: PowerLevels
}

/** What only members of the room may send. */
function checkOfMember({ rules, event, state, create, levels }: MemberCheck): AuthVerdict {
  const member = state.get('m.room.member', event.sender)
  if (member === undefined || own(member.content, 'membership') !== 'join') return reject('sender-not-joined')
  const level = levels.ofUser(event.sender)
  if (event.type === 'm.room.third_party_invite') {
    return level >= levels.invite ? ALLOWED : reject('third-party-invite-power-too-low')
  }
  const required = event.stateKey === undefined ? levels.forMessage(event.type) : levels.forState(event.type)
  if (required > level) return reject('power-too-low')
  if (event.stateKey?.startsWith('@') === true && event.stateKey !== event.sender)
    return reject('state-key-of-other-user')
  if (event.type === 'm.room.power_levels') return checkPowerChange({ rules, event, state, create, level })
  if (event.type === 'm.room.redaction' && rules.redactionRule) return checkRedaction(event, level >= levels.redact)
  return ALLOWED
}

/** <https://spec.matrix.org/v1.19/rooms/v1/#authorisation-rules> rule 11: by power, or within one server. */
function checkRedaction(event: Pdu, hasRedactLevel: boolean): AuthVerdict {
  if (hasRedactLevel) return ALLOWED
  const server = event.redacts === undefined ? undefined : domainOf(event.redacts)
  return server !== undefined && server === domainOf(event.eventId) ? ALLOWED : reject('redaction-not-allowed')
}
