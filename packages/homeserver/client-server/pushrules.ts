/** /pushrules/: the predefined rules, to read; changes are not served yet. <https://spec.matrix.org/v1.19/client-server-api/#push-rules-api> */
import * as pushrules from '@holdfast/api/generated/client-server/pushrules'
import { matrixError } from '@holdfast/protocol/errors'
import { defaultPushRules, type PushRule, type PushRuleKind } from '@holdfast/protocol/push/default-rules'
import type { UserId } from '@holdfast/protocol/ids/brand'
import { route } from './route.ts'

export const getPushRules = route(pushrules.getPushRules, async ({ requester }) => ({
  global: defaultPushRules(requester.userId),
}))

export const getPushRulesGlobal = route(pushrules.getPushRulesGlobal, async ({ requester }) =>
  defaultPushRules(requester.userId),
)

export const getPushRule = route(pushrules.getPushRule, async ({ requester, params }) =>
  requireRule(requester.userId, params),
)

export const isPushRuleEnabled = route(pushrules.isPushRuleEnabled, async ({ requester, params }) => ({
  enabled: requireRule(requester.userId, params).enabled,
}))

export const getPushRuleActions = route(pushrules.getPushRuleActions, async ({ requester, params }) => ({
  actions: requireRule(requester.userId, params).actions,
}))

function requireRule(userId: UserId, { kind, ruleId }: { kind: PushRuleKind; ruleId: string }): PushRule {
  const found = defaultPushRules(userId)[kind].find(({ rule_id: id }) => id === ruleId)
  if (found === undefined) throw matrixError('M_NOT_FOUND', `There is no ${kind} rule ${ruleId}.`)
  return found
}
