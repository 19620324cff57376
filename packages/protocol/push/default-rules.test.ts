import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { UserId } from '../ids/brand.ts'
import { defaultPushRules, PUSH_RULE_KINDS } from './default-rules.ts'

const USER = '@ann:example.org' as UserId
const written = readFileSync(new URL('./testing/predefined-rules.json', import.meta.url), 'utf8')
const specified = JSON.parse(written.replaceAll("[the user's Matrix ID]", USER)) as Record<string, unknown>

test('the rules every user begins with are those of the specification, in its order', () => {
  const rules = JSON.parse(JSON.stringify(defaultPushRules(USER))) as Record<string, unknown>
  assert.deepEqual(rules['override'], specified['override'])
  assert.deepEqual(rules['underride'], specified['underride'])
  for (const kind of ['content', 'room', 'sender']) assert.deepEqual(rules[kind], [])
})

test('the kinds come in the order in which they are tried', () => {
  assert.deepEqual(Object.keys(defaultPushRules(USER)), PUSH_RULE_KINDS)
})

test('predefined rules are named with a dot, once each, and only the master rule is off', () => {
  const rules = Object.values(defaultPushRules(USER)).flat()
  assert.ok(rules.every((rule) => rule.rule_id.startsWith('.m.rule.') && rule.default))
  assert.equal(new Set(rules.map((rule) => rule.rule_id)).size, rules.length)
  assert.deepEqual(
    rules.filter((rule) => !rule.enabled).map((rule) => rule.rule_id),
    ['.m.rule.master'],
  )
})
