import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTestHomeserver, type TestHomeserver, type TestResponse, type TestUser } from '../testing/homeserver.ts'

async function room(user: TestUser, body: object = {}): Promise<string> {
  return (await user.ok('POST', '/createRoom', { preset: 'public_chat', ...body })).room_id
}

async function upgrade(user: TestUser, roomId: string, body: object): Promise<string> {
  return (await user.ok('POST', `/rooms/${roomId}/upgrade`, body)).replacement_room
}

function state(user: TestUser, roomId: string, type: string, key = ''): Promise<TestResponse['body']> {
  return user.ok('GET', `/rooms/${encodeURIComponent(roomId)}/state/${type}/${encodeURIComponent(key)}`)
}

async function twoUsers(): Promise<{ server: TestHomeserver; ann: TestUser; bob: TestUser }> {
  const server = await startTestHomeserver()
  return { server, ann: await server.user('ann'), bob: await server.user('bob') }
}

for (const [from, to] of [
  ['1', '2'],
  ['10', '11'],
  ['11', '12'],
  ['12', '12'],
  ['12', '6'],
] as const) {
  test(`a room of version ${from} is replaced by one of version ${to} that says the same of itself`, async () => {
    const { server, ann } = await twoUsers()
    await using _server = server
    const old = await room(ann, {
      room_version: from,
      name: 'House',
      topic: 'Home',
      creation_content: { type: 'm.space', 'm.federate': false },
      initial_state: [{ type: 'm.space.child', state_key: '!kid:example.org', content: { via: ['example.org'] } }],
    })
    const fresh = await upgrade(ann, old, { new_version: to })
    const create = await state(ann, fresh, 'm.room.create')
    assert.equal(create.room_version, to)
    assert.equal(create.type, 'm.space')
    assert.equal(create['m.federate'], false)
    assert.equal(create.predecessor.room_id, old)
    const tombstone = await ann.ok('GET', `/rooms/${old}/state/m.room.tombstone/?format=event`)
    assert.equal(tombstone.content.replacement_room, fresh)
    if (to !== '12') assert.equal(create.predecessor.event_id, tombstone.event_id)
    assert.equal((await state(ann, fresh, 'm.room.name')).name, 'House')
    assert.equal((await state(ann, fresh, 'm.room.topic')).topic, 'Home')
    assert.equal((await state(ann, fresh, 'm.room.join_rules')).join_rule, 'public')
    assert.deepEqual((await state(ann, fresh, 'm.space.child', '!kid:example.org')).via, ['example.org'])
    await ann.ok('PUT', `/rooms/${fresh}/state/m.room.power_levels/`, await state(ann, fresh, 'm.room.power_levels'))
  })
}

test('aliases and the place in the public directory move to the replacement', async () => {
  const { server, ann } = await twoUsers()
  await using _server = server
  const old = await room(ann, { room_version: '10', room_alias_name: 'house', visibility: 'public' })
  const fresh = await upgrade(ann, old, { new_version: '11' })
  assert.equal((await ann.ok('GET', '/directory/room/%23house:example.org')).room_id, fresh)
  assert.deepEqual(await state(ann, old, 'm.room.canonical_alias'), {})
  assert.deepEqual(await state(ann, fresh, 'm.room.canonical_alias'), { alias: '#house:example.org' })
  assert.equal((await ann.ok('GET', `/directory/list/room/${old}`)).visibility, 'private')
  assert.equal((await ann.ok('GET', `/directory/list/room/${fresh}`)).visibility, 'public')
})

test('who was banned stays banned, and the old room is no longer for everybody to write in', async () => {
  const { server, ann, bob } = await twoUsers()
  await using _server = server
  const old = await room(ann, { room_version: '10' })
  await ann.ok('POST', `/rooms/${old}/ban`, { user_id: bob.userId, reason: 'noise' })
  const fresh = await upgrade(ann, old, { new_version: '11' })
  assert.deepEqual(await state(ann, fresh, 'm.room.member', bob.userId), { membership: 'ban', reason: 'noise' })
  const levels = await state(ann, old, 'm.room.power_levels')
  assert.deepEqual([levels.events_default, levels.invite], [50, 50])
})

test('a moderator who may replace the room has the same level after it as before', async () => {
  const { server, ann, bob } = await twoUsers()
  await using _server = server
  const old = await room(ann, { room_version: '9' })
  await bob.ok('POST', `/join/${old}`)
  const before = await state(ann, old, 'm.room.power_levels')
  const levels = {
    ...before,
    users: { ...before.users, [bob.userId]: '50' },
    events: { ...before.events, 'm.room.tombstone': 50 },
  }
  await ann.ok('PUT', `/rooms/${old}/state/m.room.power_levels/`, levels)
  const fresh = await upgrade(bob, old, { new_version: '10' })
  const after = await state(bob, fresh, 'm.room.power_levels')
  assert.deepEqual(after.users, { [ann.userId]: 100, [bob.userId]: 50 })
  // Not enough to change the levels of the old room: that is passed over.
  assert.deepEqual(await state(bob, old, 'm.room.power_levels'), levels)
})

test('creators of the new version are no longer among the levels, and those of before get the highest', async () => {
  const { server, ann, bob } = await twoUsers()
  await using _server = server
  const old = await room(ann, {
    room_version: '10',
    power_level_content_override: { users: { [ann.userId]: 100, [bob.userId]: 100 } },
  })
  const twelve = await upgrade(ann, old, { new_version: '12', additional_creators: [bob.userId] })
  assert.deepEqual((await state(ann, twelve, 'm.room.create')).additional_creators, [bob.userId])
  assert.deepEqual((await state(ann, twelve, 'm.room.power_levels')).users, {})
  const back = await upgrade(ann, twelve, { new_version: '10' })
  const { users, events } = await state(ann, back, 'm.room.power_levels')
  assert.ok(users[ann.userId] >= events['m.room.tombstone'] && users[bob.userId] >= events['m.room.tombstone'])
})

test('an upgrade is refused for an unknown version, an unknown room, and without the level for a tombstone', async () => {
  const { server, ann, bob } = await twoUsers()
  await using _server = server
  const old = await room(ann)
  const errors = [
    await ann.request('POST', `/rooms/${old}/upgrade`, { new_version: 'mine' }),
    await ann.request('POST', '/rooms/!no:example.org/upgrade', { new_version: '11' }),
    await bob.request('POST', `/rooms/${old}/upgrade`, { new_version: '11' }),
    await ann.request('POST', `/rooms/${old}/upgrade`, { new_version: '12', additional_creators: ['bob'] }),
  ]
  assert.deepEqual(
    errors.map(({ status, body }) => [status, body.errcode]),
    [
      [400, 'M_UNSUPPORTED_ROOM_VERSION'],
      [404, 'M_NOT_FOUND'],
      [403, 'M_FORBIDDEN'],
      [400, 'M_INVALID_PARAM'],
    ],
  )
  await bob.ok('POST', `/join/${encodeURIComponent(old)}`)
  assert.equal((await bob.request('POST', `/rooms/${old}/upgrade`, { new_version: '11' })).status, 403)
  assert.equal((await ann.request('GET', `/rooms/${old}/state/m.room.tombstone/`)).status, 404)
})

test('tags and direct chats follow a user into the replacement, and not into a room that only claims to be one', async () => {
  const { server, ann, bob } = await twoUsers()
  await using _server = server
  const old = await room(ann, { room_version: '10' })
  await bob.ok('POST', `/join/${old}`)
  for (const user of [ann, bob]) {
    await user.ok('PUT', `/user/${user.userId}/rooms/${old}/tags/u.home`, { order: 0.5 })
    await user.ok('PUT', `/user/${user.userId}/account_data/m.direct`, { '@eve:example.org': [old] })
  }
  const false_one = await room(ann, {
    room_version: '10',
    creation_content: { predecessor: { room_id: old, event_id: '$x' } },
  })
  const fresh = await upgrade(ann, old, { new_version: '11' })
  for (const roomId of [false_one, fresh]) await bob.ok('POST', `/join/${roomId}`)
  for (const user of [ann, bob]) {
    const { tags } = await user.ok('GET', `/user/${user.userId}/rooms/${fresh}/tags`)
    assert.deepEqual(tags, { 'u.home': { order: 0.5 } })
    const direct = await user.ok('GET', `/user/${user.userId}/account_data/m.direct`)
    assert.deepEqual(direct, { '@eve:example.org': [old, fresh] })
  }
  assert.deepEqual((await bob.ok('GET', `/user/${bob.userId}/rooms/${false_one}/tags`)).tags, {})
})

test('a room cannot be its own replacement', async () => {
  const { server, ann } = await twoUsers()
  await using _server = server
  const old = await room(ann)
  const content = { body: 'moved', replacement_room: old }
  for (const path of ['state/m.room.tombstone/', 'send/m.room.tombstone/1']) {
    const answer = await ann.request('PUT', `/rooms/${old}/${path}`, content)
    assert.deepEqual([answer.status, answer.body.errcode], [400, 'M_INVALID_PARAM'])
  }
})
