/** What redaction keeps, per room version. <https://spec.matrix.org/v1.19/rooms/v11/#redactions> */

export type RedactionRules = {
  readonly topLevelKeys: ReadonlySet<string>
  /** By event type; a type that is not here loses its whole content. */
  readonly contentKeys: ReadonlyMap<string, ReadonlySet<string> | 'all'>
  /** Whether m.room.member keeps `third_party_invite.signed`. */
  readonly keepsThirdPartyInviteSigned: boolean
}

type ContentKeys = Readonly<Record<string, readonly string[] | 'all'>>

const TOP_LEVEL_V11 = [
  'event_id',
  'type',
  'room_id',
  'sender',
  'state_key',
  'content',
  'hashes',
  'signatures',
  'depth',
  'prev_events',
  'auth_events',
  'origin_server_ts',
]
const TOP_LEVEL_V1 = [...TOP_LEVEL_V11, 'prev_state', 'origin', 'membership']

const POWER_LEVELS_V1 = ['ban', 'events', 'events_default', 'kick', 'redact', 'state_default', 'users', 'users_default']

const CONTENT_V6: ContentKeys = {
  'm.room.member': ['membership'],
  'm.room.create': ['creator'],
  'm.room.join_rules': ['join_rule'],
  'm.room.power_levels': POWER_LEVELS_V1,
  'm.room.history_visibility': ['history_visibility'],
}
const CONTENT_V8: ContentKeys = { ...CONTENT_V6, 'm.room.join_rules': ['join_rule', 'allow'] }
const CONTENT_V9: ContentKeys = { ...CONTENT_V8, 'm.room.member': ['membership', 'join_authorised_via_users_server'] }
const CONTENT_V11: ContentKeys = {
  ...CONTENT_V9,
  'm.room.create': 'all',
  'm.room.power_levels': [...POWER_LEVELS_V1, 'invite'],
  'm.room.redaction': ['redacts'],
}

function redactionRules(topLevel: readonly string[], content: ContentKeys, keepsSigned: boolean): RedactionRules {
  const entries = Object.entries(content).map(([type, keys]) => [type, keys === 'all' ? keys : new Set(keys)] as const)
  return {
    topLevelKeys: new Set(topLevel),
    contentKeys: new Map(entries),
    keepsThirdPartyInviteSigned: keepsSigned,
  }
}

/** Named after the room version that introduced them. */
export const REDACTION_V1 = redactionRules(TOP_LEVEL_V1, { ...CONTENT_V6, 'm.room.aliases': ['aliases'] }, false)
export const REDACTION_V6 = redactionRules(TOP_LEVEL_V1, CONTENT_V6, false)
export const REDACTION_V8 = redactionRules(TOP_LEVEL_V1, CONTENT_V8, false)
export const REDACTION_V9 = redactionRules(TOP_LEVEL_V1, CONTENT_V9, false)
export const REDACTION_V11 = redactionRules(TOP_LEVEL_V11, CONTENT_V11, true)
