import assert from 'node:assert/strict'
import test from 'node:test'
import type { JsonValue } from '@holdfast/protocol/json/value'
import { aLyingPeer, assertAlive, event, hasError, isShown, send } from './receive/testing/lying-peer.ts'
import { part } from './admit/testing/peer-events.ts'
import { startTestHomeserver } from '../testing/homeserver.ts'

const OPEN = { allow: ['*'] }

test('[ROOM6] nobody shuts out their own server', async () => {
  await using server = await startTestHomeserver()
  const ann = await server.user('ann')
  const { room_id: roomId } = await ann.ok('POST', '/createRoom', {})
  const lists: readonly JsonValue[] = [
    { allow: ['*'], deny: ['*'] },
    { allow: ['*'], deny: ['EXAMPLE.*'] },
    { allow: ['other.example'] },
    { allow: [] },
    { allow: [5, null] },
    { allow: '*' },
    {},
  ]
  for (const list of lists) {
    const { status, body } = await ann.request('PUT', `/rooms/${part(roomId)}/state/m.room.server_acl`, list)
    assert.deepEqual([status, body.errcode], [400, 'M_INVALID_PARAM'], JSON.stringify(list))
    const initial = [{ type: 'm.room.server_acl', state_key: '', content: list }]
    assert.equal((await ann.request('POST', '/createRoom', { initial_state: initial })).status, 400)
  }
  await ann.ok('PUT', `/rooms/${part(roomId)}/state/m.room.server_acl`, { ...OPEN, deny: ['evil.example', 5, null] })
  await ann.ok('PUT', `/rooms/${part(roomId)}/state/m.room.server_acl/other`, {})
})

test('where the list lost its content nobody from elsewhere is heard, and who is here can mend it', async (t) => {
  const w = await aLyingPeer(t)
  const acl = { type: 'm.room.server_acl', stateKey: '', sender: w.ann.userId as never, content: {}, originServerTs: 1 }
  const roomNid = (await w.server.parts.heads.roomNid(w.roomId as never))!
  await w.server.parts.roomQueue.run(roomNid, { prepare: () => ({ events: [acl] }), decide: (room) => room.add(acl) })
  const refused = event(w)
  assert.ok(hasError(await send(w, refused), refused))
  assert.equal(await isShown(w, refused), false)
  await w.ann.ok('PUT', `/rooms/${part(w.roomId)}/state/m.room.server_acl`, OPEN)
  await assertAlive(w)
})
