/** The push rules every user begins with. <https://spec.matrix.org/v1.19/client-server-api/#predefined-rules> */
import type { UserId } from '../ids/brand.ts'
import type { JsonValue } from '../json/value.ts'

/** In the order in which they are tried. */
export const PUSH_RULE_KINDS = ['override', 'content', 'room', 'sender', 'underride'] as const
export type PushRuleKind = (typeof PUSH_RULE_KINDS)[number]

export type PushAction = 'notify' | { readonly set_tweak: 'sound' | 'highlight'; readonly value?: string | boolean }

export type PushCondition =
  | { readonly kind: 'event_match'; readonly key: string; readonly pattern: string }
  | { readonly kind: 'event_property_is'; readonly key: string; readonly value: JsonValue }
  | { readonly kind: 'event_property_contains'; readonly key: string; readonly value: JsonValue }
  | { readonly kind: 'room_member_count'; readonly is: string }
  | { readonly kind: 'sender_notification_permission'; readonly key: string }

export type PushRule = {
  readonly rule_id: string
  readonly default: boolean
  readonly enabled: boolean
  /** Of override and underride rules. */
  readonly conditions?: readonly PushCondition[]
  /** Of content rules. */
  readonly pattern?: string
  readonly actions: readonly PushAction[]
}

export type PushRuleset = Readonly<Record<PushRuleKind, readonly PushRule[]>>

const DEFAULT_SOUND: PushAction = { set_tweak: 'sound', value: 'default' }
const RING: PushAction = { set_tweak: 'sound', value: 'ring' }
const HIGHLIGHT: PushAction = { set_tweak: 'highlight' }

export function defaultPushRules(userId: UserId): PushRuleset {
  return {
    override: [
      { ...rule('.m.rule.master', [], []), enabled: false },
      rule('.m.rule.suppress_notices', [matches('content.msgtype', 'm.notice')], []),
      rule(
        '.m.rule.invite_for_me',
        [matches('type', 'm.room.member'), matches('content.membership', 'invite'), matches('state_key', userId)],
        ['notify', DEFAULT_SOUND],
      ),
      rule('.m.rule.member_event', [matches('type', 'm.room.member')], []),
      rule(
        '.m.rule.is_user_mention',
        [{ kind: 'event_property_contains', key: 'content.m\\.mentions.user_ids', value: userId }],
        ['notify', DEFAULT_SOUND, HIGHLIGHT],
      ),
      rule(
        '.m.rule.is_room_mention',
        [
          { kind: 'event_property_is', key: 'content.m\\.mentions.room', value: true },
          { kind: 'sender_notification_permission', key: 'room' },
        ],
        ['notify', HIGHLIGHT],
      ),
      rule('.m.rule.tombstone', [matches('type', 'm.room.tombstone'), matches('state_key', '')], ['notify', HIGHLIGHT]),
      rule('.m.rule.reaction', [matches('type', 'm.reaction')], []),
      rule('.m.rule.room.server_acl', [matches('type', 'm.room.server_acl'), matches('state_key', '')], []),
      rule(
        '.m.rule.suppress_edits',
        [{ kind: 'event_property_is', key: 'content.m\\.relates_to.rel_type', value: 'm.replace' }],
        [],
      ),
    ],
    content: [],
    room: [],
    sender: [],
    underride: UNDERRIDE,
  }
}

const BETWEEN_TWO: PushCondition = { kind: 'room_member_count', is: '2' }

const UNDERRIDE: readonly PushRule[] = [
  rule('.m.rule.call', [matches('type', 'm.call.invite')], ['notify', RING]),
  rule(
    '.m.rule.encrypted_room_one_to_one',
    [BETWEEN_TWO, matches('type', 'm.room.encrypted')],
    ['notify', DEFAULT_SOUND],
  ),
  rule('.m.rule.room_one_to_one', [BETWEEN_TWO, matches('type', 'm.room.message')], ['notify', DEFAULT_SOUND]),
  rule('.m.rule.message', [matches('type', 'm.room.message')], ['notify']),
  rule('.m.rule.encrypted', [matches('type', 'm.room.encrypted')], ['notify']),
]

function rule(id: string, conditions: readonly PushCondition[], actions: readonly PushAction[]): PushRule {
  return { rule_id: id, default: true, enabled: true, conditions, actions }
}

function matches(key: string, pattern: string): PushCondition {
  return { kind: 'event_match', key, pattern }
}
