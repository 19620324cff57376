import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RoomId, UserId } from '@holdfast/protocol/ids/brand'
import { startTestHomeserver, type TestHomeserver, type TestResponse, type TestUser } from '../testing/homeserver.ts'
import { startFederatedHomeservers, type Federation } from '../testing/two-homeservers.ts'
import { until } from '../testing/until.ts'
import { resumeExpelling } from './guest-leaves.ts'

type Guest = { readonly userId: string; request(method: string, path: string, body?: unknown): Promise<TestResponse> }

async function guest(server: TestHomeserver): Promise<Guest> {
  const { user_id: userId, access_token: token } = await server.ok('POST', '/register?kind=guest', { body: {} })
  return { userId, request: (method, path, body) => server.request(method, path, { token, body }) }
}

async function roomWithGuests(ann: TestUser, guest_access: string): Promise<string> {
  const { room_id } = await ann.ok('POST', '/createRoom', { preset: 'public_chat' })
  await ann.ok('PUT', `/rooms/${room_id}/state/m.room.guest_access/`, { guest_access })
  return room_id
}

async function membership(ann: TestUser, room: string, userId: string): Promise<string> {
  return (await ann.ok('GET', `/rooms/${room}/state/m.room.member/${userId}`)).membership
}

test('a guest joins a room that admits guests and talks there, and joins no other, by whatever request', async () => {
  await using server = await startTestHomeserver({ settings: { guests: true } })
  const ann = await server.user('ann')
  const gus = await guest(server)
  const open = await roomWithGuests(ann, 'can_join')
  const shut = await roomWithGuests(ann, 'forbidden')
  assert.equal((await gus.request('POST', `/join/${open}`, {})).status, 200)
  assert.equal((await gus.request('PUT', `/rooms/${open}/send/m.room.message/1`, { body: 'hi' })).status, 200)
  for (const [method, path, body] of [
    ['POST', `/join/${shut}`, {}],
    ['POST', `/rooms/${shut}/join`, {}],
    ['PUT', `/rooms/${shut}/state/m.room.member/${gus.userId}`, { membership: 'join' }],
  ] as const) {
    const answer = await gus.request(method, path, body)
    assert.deepEqual([answer.status, answer.body.errcode], [403, 'M_GUEST_ACCESS_FORBIDDEN'])
  }
  assert.equal((await gus.request('PUT', `/profile/${gus.userId}/displayname`, { displayname: 'Gus' })).status, 200)
  const avatar = await gus.request('PUT', `/profile/${gus.userId}/avatar_url`, { avatar_url: 'mxc://a/b' })
  assert.equal(avatar.body.errcode, 'M_GUEST_ACCESS_FORBIDDEN')
})

test('guests leave a room that no longer admits them, and others stay', async () => {
  await using server = await startTestHomeserver({ settings: { guests: true } })
  const [ann, bob] = [await server.user('ann'), await server.user('bob')]
  const [gus, gil] = [await guest(server), await guest(server)]
  const room = await roomWithGuests(ann, 'can_join')
  for (const one of [bob, gus, gil]) assert.equal((await one.request('POST', `/join/${room}`, {})).status, 200)
  await gil.request('POST', `/rooms/${room}/leave`, {})
  await ann.ok('PUT', `/rooms/${room}/state/m.room.guest_access/`, { guest_access: 'can_join', note: 1 })
  assert.equal(await membership(ann, room, gus.userId), 'join')
  await ann.ok('PUT', `/rooms/${room}/state/m.room.guest_access/`, { guest_access: 'forbidden' })
  const all = [ann.userId, bob.userId, gus.userId, gil.userId]
  const memberships = await Promise.all(all.map((userId) => membership(ann, room, userId)))
  assert.deepEqual(memberships, ['join', 'join', 'leave', 'leave'])
})

test('who may not change the guest access puts no guest out', async () => {
  await using server = await startTestHomeserver({ settings: { guests: true } })
  const [ann, bob] = [await server.user('ann'), await server.user('bob')]
  const gus = await guest(server)
  const room = await roomWithGuests(ann, 'can_join')
  for (const one of [bob, gus]) await one.request('POST', `/join/${room}`, {})
  assert.equal((await bob.request('PUT', `/rooms/${room}/state/m.room.guest_access/`, {})).status, 403)
  assert.equal(await membership(ann, room, gus.userId), 'join')
})

test('what a join says beyond the specification is in the member event, except what the server decides', async () => {
  await using server = await startTestHomeserver()
  const [ann, bob] = [await server.user('ann'), await server.user('bob')]
  const { room_id } = await ann.ok('POST', '/createRoom', { preset: 'public_chat' })
  const forged = { membership: 'ban', join_authorised_via_users_server: ann.userId, third_party_signed: undefined }
  await bob.ok('POST', `/join/${room_id}`, { colour: 'red', reason: 'so', ...forged })
  const content = await ann.ok('GET', `/rooms/${room_id}/state/m.room.member/${bob.userId}`)
  assert.deepEqual(content, { colour: 'red', membership: 'join', reason: 'so' })
})

test('a guest becomes a user of the same name and stays where they are', async () => {
  await using server = await startTestHomeserver({ settings: { guests: true } })
  const ann = await server.user('ann')
  const [gus, gil] = [await server.ok('POST', '/register?kind=guest', { body: {} }), await guest(server)]
  const room = await roomWithGuests(ann, 'can_join')
  await server.ok('POST', `/join/${room}`, { token: gus.access_token, body: {} })
  const name = gus.user_id.slice(1).split(':')[0]
  const body = { username: name, password: 'long enough to be one', guest_access_token: gus.access_token }
  const auth = { type: 'm.login.dummy' }
  const stolen = { ...body, username: gil.userId.slice(1).split(':')[0], auth }
  assert.equal((await server.request('POST', '/register', { body: stolen })).body.errcode, 'M_FORBIDDEN')
  assert.equal((await server.request('POST', '/register', { body: { ...stolen, guest_access_token: 1 } })).status, 403)
  assert.equal((await server.request('POST', '/register', { body })).status, 401)
  const { access_token: token, user_id } = await server.ok('POST', '/register', { body: { ...body, auth } })
  assert.equal(user_id, gus.user_id)
  for (const one of [token, gus.access_token]) {
    const { is_guest } = await server.ok('GET', '/account/whoami', { token: one })
    assert.equal(is_guest, false)
  }
  await ann.ok('PUT', `/rooms/${room}/state/m.room.guest_access/`, { guest_access: 'forbidden' })
  assert.equal(await membership(ann, room, gus.user_id), 'join')
  assert.equal((await server.request('POST', '/register', { body: { ...body, auth } })).body.errcode, 'M_FORBIDDEN')
})

test('a guest looks into a world-readable room, and has no event stream besides', async () => {
  await using server = await startTestHomeserver({ settings: { guests: true } })
  const ann = await server.user('ann')
  const gus = await guest(server)
  const room = await roomWithGuests(ann, 'can_join')
  const path = `/events?timeout=0&room_id=${encodeURIComponent(room)}`
  assert.equal((await gus.request('GET', path)).status, 403)
  await ann.ok('PUT', `/rooms/${room}/state/m.room.history_visibility/`, { history_visibility: 'world_readable' })
  assert.equal((await gus.request('GET', path)).status, 200)
  assert.equal((await gus.request('GET', '/events?timeout=0')).body.errcode, 'M_GUEST_ACCESS_FORBIDDEN')
})

/** Ann's server, and one whose guests come. */
async function twoServers(): Promise<Federation> {
  return startFederatedHomeservers(['a.example', 'b.example'], { settings: { guests: true } })
}

test('a guest joins no room of another server that is closed to guests, and is not left behind in it', async () => {
  await using federation = await twoServers()
  const [a, b] = federation.servers
  const ann = await a!.user('ann')
  const gus = await guest(b!)
  const open = await roomWithGuests(ann, 'can_join')
  const shut = await roomWithGuests(ann, 'forbidden')
  assert.equal((await gus.request('POST', `/join/${open}?via=a.example`, {})).status, 200)
  const answer = await gus.request('POST', `/join/${shut}?via=a.example`, {})
  assert.deepEqual([answer.status, answer.body.errcode], [403, 'M_GUEST_ACCESS_FORBIDDEN'])
  assert.equal((await gus.request('GET', `/rooms/${shut}/state`)).status, 403)
  assert.equal(await membership(ann, open, gus.userId), 'join')
  assert.equal(await membership(ann, shut, gus.userId), 'leave')
})

test('guests leave a room that another server closes to them, and others stay', async () => {
  await using federation = await twoServers()
  const [a, b] = federation.servers
  const [ann, bob] = [await a!.user('ann'), await b!.user('bob')]
  const [gus, gil] = [await guest(b!), await guest(a!)]
  const room = await roomWithGuests(ann, 'can_join')
  for (const one of [bob, gus, gil]) {
    assert.equal((await one.request('POST', `/join/${room}?via=a.example`, {})).status, 200)
  }
  await ann.ok('PUT', `/rooms/${room}/state/m.room.guest_access/`, { guest_access: 'forbidden' })
  await until(async () => (await membership(ann, room, gus.userId)) === 'leave', 'the guest there leaves')
  for (const [userId, now] of [
    [gil.userId, 'leave'],
    [bob.userId, 'join'],
  ] as const) {
    assert.equal(await membership(ann, room, userId), now)
  }
})

test('a room that was closed while the server was down loses its guests at the start', async () => {
  await using server = await startTestHomeserver({ settings: { guests: true } })
  const ann = await server.user('ann')
  const gus = await guest(server)
  const [open, shut] = [await roomWithGuests(ann, 'can_join'), await roomWithGuests(ann, 'can_join')]
  for (const room of [open, shut]) assert.equal((await gus.request('POST', `/join/${room}`, {})).status, 200)
  // As a crash would leave it: the room is closed, and nobody has gone yet.
  const { roomNid } = (await server.parts.heads.byId(shut as RoomId))!
  const content = { guest_access: 'forbidden' }
  const closing = {
    type: 'm.room.guest_access',
    stateKey: '',
    sender: ann.userId as UserId,
    content,
    originServerTs: 1,
  }
  await server.parts.roomQueue.run(roomNid, {
    prepare: () => ({ events: [closing] }),
    decide: (draft) => void draft.add(closing),
  })
  assert.equal(await membership(ann, shut, gus.userId), 'join')
  await resumeExpelling(server.parts)
  assert.equal(await membership(ann, shut, gus.userId), 'leave')
  assert.equal(await membership(ann, open, gus.userId), 'join')
})
