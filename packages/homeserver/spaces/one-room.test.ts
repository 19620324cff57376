import assert from 'node:assert/strict'
import test from 'node:test'
import type { TestUser } from '../testing/homeserver.ts'
import { startTestHomeserver } from '../testing/homeserver.ts'
import { startFederatedHomeservers } from '../testing/two-homeservers.ts'

const path = (room: string, query = '') => `/_matrix/client/v1/room_summary/${encodeURIComponent(room)}${query}`
const create = async (user: TestUser, body: object): Promise<string> =>
  (await user.ok('POST', '/createRoom', body)).room_id

const withRule = (content: object) => ({
  preset: 'private_chat',
  initial_state: [{ type: 'm.room.join_rules', state_key: '', content }],
})

test('a room is summed up for whoever is in it, could enter it or may look into it, with what they are to it', async () => {
  await using server = await startTestHomeserver()
  const [ann, bob] = [await server.user('ann'), await server.user('bob')]
  const space = await create(ann, { preset: 'public_chat', creation_content: { type: 'm.space' } })
  const allow = [{ type: 'm.room_membership', room_id: space }]
  const restricted = await create(ann, withRule({ join_rule: 'restricted', allow }))
  const open = await create(ann, { preset: 'public_chat', name: 'Tea', room_alias_name: 'tea', room_version: '11' })
  const told = await bob.ok('GET', path('#tea:example.org'))
  assert.deepEqual([told.room_id, told.name, told.join_rule, told.room_version], [open, 'Tea', 'public', '11'])
  assert.deepEqual([told.membership, told.allowed_room_ids], [undefined, undefined])
  assert.equal((await bob.request('GET', path(restricted))).status, 404)
  await bob.ok('POST', `/join/${encodeURIComponent(space)}`, {})
  const entered = await bob.ok('GET', path(restricted))
  assert.deepEqual([entered.join_rule, entered.allowed_room_ids], ['restricted', [space]])
  assert.equal((await ann.ok('GET', path(restricted))).membership, 'join')
  assert.equal((await bob.ok('GET', path(space))).room_type, 'm.space')
  const invited = await create(ann, { preset: 'private_chat', invite: [bob.userId] })
  assert.equal((await bob.ok('GET', path(invited))).membership, 'invite')
  await ann.ok('POST', `/rooms/${encodeURIComponent(open)}/ban`, { user_id: bob.userId })
  assert.equal((await bob.request('GET', path(open))).status, 404)
})

test('who may not see a room hears the same as of one that does not exist, with or without an account', async () => {
  await using server = await startTestHomeserver()
  const [ann, bob] = [await server.user('ann'), await server.user('bob')]
  const hidden = await create(ann, { preset: 'private_chat' })
  const hall = await create(ann, { preset: 'public_chat' })
  const window = await create(ann, {
    preset: 'private_chat',
    initial_state: [
      { type: 'm.room.history_visibility', state_key: '', content: { history_visibility: 'world_readable' } },
    ],
  })
  const nowhere = await bob.request('GET', path('!nowhere:example.org'))
  assert.deepEqual([nowhere.status, nowhere.body.errcode], [404, 'M_NOT_FOUND'])
  assert.deepEqual(await bob.request('GET', path(hidden)), nowhere)
  for (const [room, status] of [
    [hall, 200],
    [window, 200],
    [hidden, 404],
    ['!nowhere:example.org', 404],
  ] as const) {
    const answer = await server.request('GET', path(room, '?via=other.example'))
    assert.equal(answer.status, status, room)
    assert.equal(answer.body.membership, undefined)
  }
})

test('a room elsewhere is asked of the servers that are named, and shown if the user could enter it', async () => {
  await using federation = await startFederatedHomeservers(['a.example', 'b.example'])
  const [ann, bob] = [await federation.servers[0]!.user('ann'), await federation.servers[1]!.user('bob')]
  const open = await create(ann, { preset: 'public_chat', name: 'Tea' })
  const hidden = await create(ann, { preset: 'private_chat' })
  const told = await bob.ok('GET', path(open, '?via=a.example'))
  assert.deepEqual([told.room_id, told.name, told.num_joined_members], [open, 'Tea', 1])
  assert.equal((await bob.request('GET', path(hidden, '?via=a.example'))).status, 404)
  const asked = federation.exchanges.length
  assert.equal((await federation.servers[1]!.request('GET', path(open, '?via=a.example'))).status, 404)
  assert.equal(federation.exchanges.length, asked)
})
