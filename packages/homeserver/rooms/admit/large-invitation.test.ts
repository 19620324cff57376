import assert from 'node:assert/strict'
import test from 'node:test'
import type { TestHomeserver } from '../../testing/homeserver.ts'
import { startFederatedHomeservers } from '../../testing/two-homeservers.ts'
import { until } from '../../testing/until.ts'
import { part } from './testing/peer-events.ts'

const LARGE = 'x'.repeat(60_000)

test('a room that has much to say of itself can be invited to, and talked in', async () => {
  await using federation = await startFederatedHomeservers(['a.example', 'b.example'])
  const [a, b] = federation.servers as [TestHomeserver, TestHomeserver]
  const [ann, bob] = [await a.user('ann'), await b.user('bob')]
  const { room_id: roomId } = await ann.ok('POST', '/createRoom', { preset: 'public_chat' })
  const state = {
    'm.room.name': { name: 'Cabin' },
    'm.room.topic': { topic: 'Wood' },
    'm.room.avatar': { url: 'mxc://a.example/a' },
    'm.room.encryption': { algorithm: 'm.megolm.v1.aes-sha2' },
    'm.room.join_rules': { join_rule: 'public' },
  }
  for (const [type, content] of Object.entries(state)) {
    await ann.ok('PUT', `/rooms/${part(roomId)}/state/${type}`, { ...content, LARGE })
  }
  await ann.ok('POST', `/rooms/${part(roomId)}/invite`, { user_id: bob.userId })
  const invited = (await bob.ok('GET', '/sync')).rooms.invite[roomId].invite_state.events as { type: string }[]
  assert.ok(invited.some(({ type }) => type === 'm.room.name'))
  await bob.ok('POST', `/join/${part(roomId)}`, {})
  await ann.ok('PUT', `/rooms/${part(roomId)}/send/m.room.message/1`, { msgtype: 'm.text', body: 'hello' })
  await until(async () => {
    const { chunk } = await bob.ok('GET', `/rooms/${part(roomId)}/messages?dir=b&limit=5`)
    return (chunk as { content: { body?: string } }[]).some(({ content }) => content.body === 'hello')
  }, 'no message came')
})
