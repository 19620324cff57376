import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTestHomeserver } from '../testing/homeserver.ts'

test('the order of a tag is a number, or is not given; whatever else a tag has is kept', async () => {
  await using homeserver = await startTestHomeserver()
  const ann = await homeserver.user('ann')
  const { room_id: room } = await ann.ok('POST', '/createRoom', {})
  const path = `/user/${ann.userId}/rooms/${room}/tags`
  const kept = { 'u.work': { order: 0.25 }, 'm.favourite': { order: 1, 'my.colour': ['red'] }, 'u.plain': {} }
  for (const [tag, content] of Object.entries(kept)) await ann.ok('PUT', `${path}/${tag}`, content)
  for (const order of ['0.5', '', null, [], {}, true]) {
    const { status, body } = await ann.request('PUT', `${path}/u.bad`, { order })
    assert.deepEqual([status, body.errcode], [400, 'M_BAD_JSON'], JSON.stringify(order))
  }
  assert.deepEqual((await ann.ok('GET', path)).tags, kept)
})
