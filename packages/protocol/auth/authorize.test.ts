import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ROOM_VERSIONS, rulesFor } from '../room-version/rules.ts'
import { AUTH_RULES, authRuleNumber } from './auth-rules.ts'
import type { AuthRule } from './auth-rules.ts'
import { AUTH_EVENTS_CASES, CREATE_CASES, ROOM_CASES } from './testing/cases-create.ts'
import { MEMBERSHIP_CASES } from './testing/cases-membership.ts'
import { MEMBER_CASES, POWER_CASES } from './testing/cases-power.ts'
import { THIRD_PARTY_CASES } from './testing/cases-third-party.ts'
import type { RuleCase } from './testing/rule-case.ts'

const CASES: readonly RuleCase[] = [
  ...CREATE_CASES,
  ...AUTH_EVENTS_CASES,
  ...ROOM_CASES,
  ...MEMBERSHIP_CASES,
  ...THIRD_PARTY_CASES,
  ...MEMBER_CASES,
  ...POWER_CASES,
]

for (const version of ROOM_VERSIONS) {
  const rules = rulesFor(version)!
  describe(`room version ${version}`, () => {
    for (const { rule, broken, verdicts } of CASES) {
      const number = authRuleNumber(rule, rules)
      if (number === undefined) continue
      test(`[${number} ${rule}] ${broken}`, () => {
        const verdict = verdicts(version)
        assert.deepEqual(verdict.valid, { allowed: true })
        assert.deepEqual(verdict.broken, { allowed: false, rule, message: AUTH_RULES[rule].message })
      })
    }

    test('every rule of this version has a case', () => {
      const tested = new Set(CASES.map(({ rule }) => rule))
      const rulesOfVersion = (Object.keys(AUTH_RULES) as AuthRule[]).filter((rule) => authRuleNumber(rule, rules))
      assert.deepEqual(
        rulesOfVersion.filter((rule) => !tested.has(rule)),
        [],
      )
    })
  })
}
