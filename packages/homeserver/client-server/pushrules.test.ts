import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { startTestHomeserver } from '../testing/homeserver.ts'

const server = await startTestHomeserver()
after(() => server[Symbol.asyncDispose]())

test('the predefined push rules are there for clients, which do not sync without them', async () => {
  const ann = await server.user('ann')
  const { global } = await ann.ok('GET', '/pushrules/')
  assert.deepEqual(Object.keys(global).toSorted(), ['content', 'override', 'room', 'sender', 'underride'])
  assert.deepEqual(await ann.ok('GET', '/pushrules/global/'), global)
  const mine = global.override.find((rule: { rule_id: string }) => rule.rule_id === '.m.rule.invite_for_me')
  assert.equal(mine.conditions[2].pattern, ann.userId)
})

test('a single rule, whether it is enabled, and what it does', async () => {
  const bob = await server.user('bob')
  const path = '/pushrules/global/override/.m.rule.master'
  assert.equal((await bob.ok('GET', path)).rule_id, '.m.rule.master')
  assert.deepEqual(await bob.ok('GET', `${path}/enabled`), { enabled: false })
  assert.deepEqual(await bob.ok('GET', `${path}/actions`), { actions: [] })
  const missing = await bob.request('GET', '/pushrules/global/room/!nowhere:example.org')
  assert.deepEqual([missing.status, missing.body.errcode], [404, 'M_NOT_FOUND'])
})
