import assert from 'node:assert/strict'
import test from 'node:test'
import { banRuleOf } from './policy-rules.ts'

const ban = { entity: '@spam*:example.org', recommendation: 'm.ban', reason: 'spam' }

test('a rule on users or servers that recommends a ban names whom', () => {
  assert.deepEqual(banRuleOf({ type: 'm.policy.rule.user', content: ban }), { about: 'user', entity: ban.entity })
  assert.deepEqual(banRuleOf({ type: 'm.policy.rule.server', content: { ...ban, entity: '*.bad' } }), {
    about: 'server',
    entity: '*.bad',
  })
})

for (const [name, type, content] of [
  ['a rule that was taken back', 'm.policy.rule.user', {}],
  ['another recommendation', 'm.policy.rule.user', { ...ban, recommendation: 'org.example.allow' }],
  ['an entity of a wrong type', 'm.policy.rule.user', { ...ban, entity: 7 }],
  ['an empty entity', 'm.policy.rule.user', { ...ban, entity: '' }],
  ['an entity without end', 'm.policy.rule.user', { ...ban, entity: '*'.repeat(256) }],
  ['a rule on rooms', 'm.policy.rule.room', ban],
  ['an inherited field', 'm.policy.rule.user', Object.create(ban)],
] as const) {
  test(`${name} names nobody`, () => assert.equal(banRuleOf({ type, content }), undefined))
}
