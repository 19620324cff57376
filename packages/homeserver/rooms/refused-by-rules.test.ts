import assert from 'node:assert/strict'
import test from 'node:test'
import { startTestHomeserver } from '../testing/homeserver.ts'

test('an event that no sender could send is malformed; one that this sender may not send is forbidden', async () => {
  await using server = await startTestHomeserver()
  const [ann, bob] = [await server.user('ann'), await server.user('bob')]
  const { room_id: roomId } = await ann.ok('POST', '/createRoom', { preset: 'public_chat', room_version: '12' })
  const room = `/rooms/${encodeURIComponent(roomId)}`
  const set = async (user: typeof ann, type: string, content: object) => {
    const { status, body } = await user.request('PUT', `${room}/state/${type}`, content)
    return `${status} ${body.errcode}`
  }
  assert.equal(await set(ann, 'm.room.create', { room_version: '12', more: 1 }), '400 M_INVALID_PARAM')
  assert.equal(await set(ann, 'm.room.power_levels', { users: { [ann.userId]: 100 } }), '400 M_INVALID_PARAM')
  assert.equal(await set(ann, 'm.room.power_levels', { users: { [bob.userId]: 'x' } }), '400 M_INVALID_PARAM')
  assert.equal(await set(bob, 'm.room.create', { room_version: '12' }), '403 M_FORBIDDEN')
  await bob.ok('POST', `${room}/join`, {})
  assert.equal(await set(bob, 'm.room.power_levels', { users: { [bob.userId]: 100 } }), '403 M_FORBIDDEN')
  const listed = { room_version: '12', power_level_content_override: { users: { [ann.userId]: 100 } } }
  const refused = await ann.request('POST', '/createRoom', listed)
  assert.equal(refused.status, 400)
})
