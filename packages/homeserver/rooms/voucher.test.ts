import assert from 'node:assert/strict'
import test from 'node:test'
import { startTestHomeserver } from '../testing/homeserver.ts'

test('no client says who vouches for a join, neither to get in nor later', async (t) => {
  const server = await startTestHomeserver()
  t.after(() => server[Symbol.asyncDispose]())
  const [ann, bob] = [await server.user('ann'), await server.user('bob')]
  const club = (await ann.ok('POST', '/createRoom', { preset: 'public_chat' })).room_id as string
  const rules = { join_rule: 'restricted', allow: [{ type: 'm.room_membership', room_id: club }] }
  const initialState = [{ type: 'm.room.join_rules', state_key: '', content: rules }]
  const created = await ann.ok('POST', '/createRoom', { room_version: '10', initial_state: initialState })
  const room = encodeURIComponent(created.room_id)
  const member = `/rooms/${room}/state/m.room.member/${encodeURIComponent(bob.userId)}`
  const voucher = { join_authorised_via_users_server: ann.userId }

  const { status, body } = await bob.request('PUT', member, { membership: 'join', ...voucher })
  assert.deepEqual([status, body.errcode], [403, 'M_FORBIDDEN'])

  await bob.ok('POST', `/join/${encodeURIComponent(club)}`, {})
  await bob.ok('POST', `/join/${room}`, {})
  const unused = { join_authorised_via_users_server: 'unused' }
  await bob.ok('PUT', member, { membership: 'join', displayname: 'Bobby', ...unused })
  assert.deepEqual(await bob.ok('GET', member), { membership: 'join', displayname: 'Bobby' })
})
