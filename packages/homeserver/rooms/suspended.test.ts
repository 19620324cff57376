/** What a suspended account can and cannot do in rooms. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { UserId } from '@holdfast/protocol/ids/brand'
import { createAccount } from '../accounts/create-account.ts'
import { hashPassword } from '../accounts/passwords.ts'
import { startTestHomeserver, type TestHomeserver } from '../testing/homeserver.ts'

test('a suspended user reads, leaves and redacts their own, and does nothing else in rooms', async () => {
  await using server = await startTestHomeserver()
  const ann = await server.user('ann')
  const eve = await server.user('eve')
  const { room_id } = await ann.ok('POST', '/createRoom', { preset: 'public_chat' })
  const room = `/rooms/${encodeURIComponent(room_id)}`
  await eve.ok('POST', `${room}/join`, {})
  const said = await eve.ok('PUT', `${room}/send/m.room.message/1`, { body: 'before' })
  const other = await ann.ok('PUT', `${room}/send/m.room.message/1`, { body: 'of ann' })
  await suspendUser(server, eve.userId)

  for (const [method, path, body] of [
    ['POST', '/createRoom', {}],
    ['POST', `${room}/join`, {}],
    ['POST', `/knock/${encodeURIComponent(room_id)}`, {}],
    ['POST', `${room}/invite`, { user_id: ann.userId }],
    ['PUT', `${room}/send/m.room.message/2`, { body: 'after' }],
    ['PUT', `${room}/state/m.room.topic`, { topic: 'mine' }],
    ['PUT', `${room}/redact/${encodeURIComponent(other.event_id)}/2`, {}],
  ] as const) {
    const refused = await eve.request(method, path, body)
    assert.deepEqual([refused.status, refused.body.errcode], [403, 'M_USER_SUSPENDED'], path)
  }
  await eve.ok('GET', `${room}/messages?dir=b`)
  await eve.ok('PUT', `${room}/redact/${encodeURIComponent(said.event_id)}/3`, {})
  await eve.ok('POST', `${room}/leave`, {})
})

async function suspendUser(server: TestHomeserver, userId: string): Promise<void> {
  const passwordHash = await hashPassword(server.parts, 'secret')
  await createAccount(server.parts, {
    userId: '@root:example.org' as UserId,
    passwordHash,
    kind: 'user',
    isAdmin: true,
  })
  const login = { type: 'm.login.password', user: 'root', password: 'secret' }
  const { access_token: token } = await server.ok('POST', '/login', { body: login })
  const body = { suspended: true }
  await server.ok('PUT', `/_matrix/client/v1/admin/suspend/${encodeURIComponent(userId)}`, { token, body })
}
