import assert from 'node:assert/strict'
import test from 'node:test'
import type { UserId } from '@holdfast/protocol/ids/brand'
import { startTestHomeserver } from '../../testing/homeserver.ts'
import { part } from './testing/peer-events.ts'

test('to ask how to leave leaves no trace of users who were never here', async () => {
  await using server = await startTestHomeserver()
  const ann = await server.user('ann')
  const peer = server.peer('other.example')
  const { room_id: roomId } = await ann.ok('POST', '/createRoom', { preset: 'public_chat' })
  for (const name of ['one', 'two']) {
    const userId = `@${name}:other.example`
    const { status } = await peer.request('GET', `/v1/make_leave/${part(roomId)}/${part(userId)}`)
    assert.equal(status, 403)
    assert.equal(await server.parts.dictionary.userNid(userId as UserId), undefined)
  }
})
