import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sql } from '@holdfast/platform/database/sql'
import { startTestHomeserver } from '../testing/homeserver.ts'

test('account data and filters end with the account', async () => {
  await using server = await startTestHomeserver()
  const ann = await server.user('ann')
  const own = `/user/${encodeURIComponent(ann.userId)}`
  await ann.ok('PUT', `${own}/account_data/org.example.note`, { text: 'mine' })
  await ann.ok('POST', `${own}/filter`, { room: { timeline: { limit: 5 } } })
  const { db, dictionary } = server.parts
  const userNid = (await dictionary.userNid(ann.userId as never))!
  const rows = (): Promise<readonly number[]> =>
    db.column(
      sql`SELECT (SELECT COUNT(*) FROM account_data WHERE user_nid = ${userNid})
            + (SELECT COUNT(*) FROM filters WHERE user_nid = ${userNid})`,
    )
  assert.deepEqual(await rows(), [2])
  const auth = { type: 'm.login.password', user: 'ann', password: 'secret-ann' }
  await ann.ok('POST', '/account/deactivate', { auth })
  assert.deepEqual(await rows(), [0])
})
