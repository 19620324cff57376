/** Rules of moderation policy lists: whom they name, and what they recommend. <https://spec.matrix.org/v1.19/client-server-api/#moderation-policy-lists> */
import { own } from '../auth/auth-state.ts'
import type { JsonObject } from '../json/value.ts'

export type PolicyRule = {
  readonly about: 'user' | 'server'
  /** A glob pattern of user IDs or server names. */
  readonly entity: string
}

/** The types of events that rule on users and servers; those on rooms say nothing about who sends. */
export const POLICY_RULE_TYPES: ReadonlyMap<string, PolicyRule['about']> = new Map([
  ['m.policy.rule.user', 'user'],
  ['m.policy.rule.server', 'server'],
])

/** Longer than any user ID can be. */
const ENTITY_CHARACTERS_MAX = 255

/** A recommendation to ban; undefined for every other event, taken back rules among them. */
export function banRuleOf({
  type,
  content,
}: {
  readonly type: string
  readonly content: JsonObject
}): PolicyRule | undefined {
  const about = POLICY_RULE_TYPES.get(type)
  const entity = own(content, 'entity')
  if (about === undefined || own(content, 'recommendation') !== 'm.ban') return undefined
  if (typeof entity !== 'string' || entity === '' || entity.length > ENTITY_CHARACTERS_MAX) return undefined
  return { about, entity }
}
