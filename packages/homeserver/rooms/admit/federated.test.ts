import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import type { TestUser } from '../../testing/homeserver.ts'
import { startFederatedHomeservers, type Federation } from '../../testing/two-homeservers.ts'
import { until } from '../../testing/until.ts'

const A = 'a.example'
const B = 'b.example'
const VERSIONS = ['1', '2', '6', '8', '10', '11', '12']
const KNOCKING = ['8', '10', '11', '12']
const RESTRICTED = ['8', '10', '11', '12']

type World = Federation & { readonly ann: TestUser; readonly bob: TestUser }

async function world(t: TestContext): Promise<World> {
  const federation = await startFederatedHomeservers([A, B])
  t.after(() => federation[Symbol.asyncDispose]())
  const [a, b] = federation.servers
  return { ...federation, ann: await a!.user('ann'), bob: await b!.user('bob') }
}

async function createRoom(user: TestUser, version: string, more: object = {}): Promise<string> {
  const body = { preset: 'private_chat', room_version: version, ...more }
  return (await user.ok('POST', '/createRoom', body)).room_id as string
}

function path(roomId: string, rest: string): string {
  return `/rooms/${encodeURIComponent(roomId)}${rest}`
}

async function join(user: TestUser, roomId: string, server: string): Promise<void> {
  await user.ok('POST', `/join/${encodeURIComponent(roomId)}?server_name=${server}`, {})
}

async function membership(viewer: TestUser, roomId: string, userId: string): Promise<string | undefined> {
  const { status, body } = await viewer.request(
    'GET',
    path(roomId, `/state/m.room.member/${encodeURIComponent(userId)}`),
  )
  return status === 200 ? body.membership : undefined
}

async function untilMembership(viewer: TestUser, roomId: string, userId: string, wanted: string): Promise<void> {
  await until(async () => (await membership(viewer, roomId, userId)) === wanted, `${userId} is to be ${wanted}`)
}

/** The state of a room by its keys, as event ids. */
async function stateIds(user: TestUser, roomId: string): Promise<Record<string, string>> {
  const state = (await user.ok('GET', path(roomId, '/state'))) as {
    type: string
    state_key: string
    event_id: string
  }[]
  return Object.fromEntries(state.map((event) => [`${event.type} ${event.state_key}`, event.event_id]))
}

for (const version of VERSIONS) {
  test(`a user joins a public room of another server, talks, and leaves: version ${version}`, async (t) => {
    const { ann, bob } = await world(t)
    const roomId = await createRoom(ann, version, { preset: 'public_chat', name: 'Port' })
    await join(bob, roomId, A)
    assert.equal(await membership(ann, roomId, bob.userId), 'join')
    assert.deepEqual(await stateIds(bob, roomId), await stateIds(ann, roomId))
    const sent = await bob.ok('PUT', path(roomId, '/send/m.room.message/1'), { msgtype: 'm.text', body: 'hello' })
    await until(async () => {
      const { status } = await ann.request('GET', path(roomId, `/event/${encodeURIComponent(sent.event_id)}`))
      return status === 200
    }, 'the message arrives')
    await bob.ok('POST', path(roomId, '/leave'), {})
    await untilMembership(ann, roomId, bob.userId, 'leave')
  })

  test(`a user is invited from another server, and joins: version ${version}`, async (t) => {
    const { ann, bob } = await world(t)
    const roomId = await createRoom(ann, version, { name: 'Cabin' })
    await ann.ok('POST', path(roomId, '/invite'), { user_id: bob.userId, reason: 'come' })
    const sync = await bob.ok('GET', '/sync')
    const events = sync.rooms.invite[roomId].invite_state.events as { type: string; content: { name?: string } }[]
    assert.equal(events.find(({ type }) => type === 'm.room.name')?.content.name, 'Cabin')
    assert.ok(events.some(({ type }) => type === 'm.room.create'))
    await join(bob, roomId, A)
    assert.equal(await membership(ann, roomId, bob.userId), 'join')
    assert.deepEqual(await stateIds(bob, roomId), await stateIds(ann, roomId))
  })

  test(`an invitation is declined: version ${version}`, async (t) => {
    const { ann, bob } = await world(t)
    const roomId = await createRoom(ann, version)
    await ann.ok('POST', path(roomId, '/invite'), { user_id: bob.userId })
    await bob.ok('POST', path(roomId, '/leave'), {})
    assert.equal(await membership(ann, roomId, bob.userId), 'leave')
    const sync = await bob.ok('GET', '/sync')
    assert.equal(sync.rooms?.invite?.[roomId], undefined)
    // And again.
    await ann.ok('POST', path(roomId, '/invite'), { user_id: bob.userId })
    assert.ok((await bob.ok('GET', '/sync')).rooms.invite[roomId])
  })

  test(`whom a new room is made for is invited there: version ${version}`, async (t) => {
    const { ann, bob } = await world(t)
    const roomId = await createRoom(ann, version, { invite: [bob.userId, '@no:c.example'], is_direct: true })
    assert.equal(await membership(ann, roomId, bob.userId), 'invite')
    assert.equal(await membership(ann, roomId, '@no:c.example'), undefined)
    const { events } = (await bob.ok('GET', '/sync')).rooms.invite[roomId].invite_state
    const own = (events as { state_key: string; content: { is_direct?: boolean } }[]).find(
      ({ state_key }) => state_key === bob.userId,
    )
    assert.equal(own?.content.is_direct, true)
    await join(bob, roomId, A)
    await bob.ok('PUT', path(roomId, '/send/m.room.message/1'), { msgtype: 'm.text', body: 'hello' })
  })

  test(`a member of another server is kicked, banned, and let back in: version ${version}`, async (t) => {
    const { ann, bob } = await world(t)
    const roomId = await createRoom(ann, version, { preset: 'public_chat' })
    await join(bob, roomId, A)
    await ann.ok('POST', path(roomId, '/kick'), { user_id: bob.userId })
    await until(async () => (await bob.ok('GET', '/joined_rooms')).joined_rooms.length === 0, 'bob is out')
    await join(bob, roomId, A)
    assert.equal(await membership(ann, roomId, bob.userId), 'join')
    await ann.ok('POST', path(roomId, '/ban'), { user_id: bob.userId })
    await until(async () => (await bob.ok('GET', '/joined_rooms')).joined_rooms.length === 0, 'bob is out')
    const refused = await bob.request('POST', `/join/${encodeURIComponent(roomId)}?server_name=${A}`, {})
    assert.equal(refused.status, 403)
    await ann.ok('POST', path(roomId, '/unban'), { user_id: bob.userId })
    await join(bob, roomId, A)
    assert.deepEqual(await stateIds(bob, roomId), await stateIds(ann, roomId))
  })

  test(`an invitation is taken back: version ${version}`, async (t) => {
    const { ann, bob } = await world(t)
    const roomId = await createRoom(ann, version)
    const isInvited = async () => (await bob.ok('GET', '/sync')).rooms?.invite?.[roomId] !== undefined
    await ann.ok('POST', path(roomId, '/invite'), { user_id: bob.userId })
    assert.ok(await isInvited())
    await ann.ok('POST', path(roomId, '/kick'), { user_id: bob.userId })
    await until(async () => !(await isInvited()), 'the invitation is gone')
    await ann.ok('POST', path(roomId, '/invite'), { user_id: bob.userId })
    assert.ok(await isInvited())
    await ann.ok('POST', path(roomId, '/ban'), { user_id: bob.userId })
    await until(async () => !(await isInvited()), 'the invitation is gone')
  })

  if (KNOCKING.includes(version)) {
    test(`a user knocks at a room of another server, and is let in or turned away: version ${version}`, async (t) => {
      const { ann, bob } = await world(t)
      const initial_state = [{ type: 'm.room.join_rules', state_key: '', content: { join_rule: 'knock' } }]
      const roomId = await createRoom(ann, version, { name: 'Cabin', initial_state })
      const knock = `/knock/${encodeURIComponent(roomId)}?server_name=${A}`
      await bob.ok('POST', knock, { reason: 'please' })
      assert.equal(await membership(ann, roomId, bob.userId), 'knock')
      const { events } = (await bob.ok('GET', '/sync')).rooms.knock[roomId].knock_state
      assert.ok((events as { content: { name?: string } }[]).some(({ content }) => content.name === 'Cabin'))
      await bob.ok('POST', path(roomId, '/leave'), {})
      assert.equal(await membership(ann, roomId, bob.userId), 'leave')
      await bob.ok('POST', knock, {})
      await ann.ok('POST', path(roomId, '/invite'), { user_id: bob.userId })
      await join(bob, roomId, A)
      assert.equal(await membership(ann, roomId, bob.userId), 'join')
    })
  }

  if (RESTRICTED.includes(version)) {
    test(`members of one room may join another, over servers: version ${version}`, async (t) => {
      const { ann, bob } = await world(t)
      const space = await createRoom(ann, version, { preset: 'public_chat' })
      const content = { join_rule: 'restricted', allow: [{ type: 'm.room_membership', room_id: space }] }
      const initial_state = [{ type: 'm.room.join_rules', state_key: '', content }]
      const roomId = await createRoom(ann, version, { initial_state })
      const early = await bob.request('POST', `/join/${encodeURIComponent(roomId)}?server_name=${A}`, {})
      assert.equal(early.status, 403)
      await join(bob, space, A)
      await join(bob, roomId, A)
      const member = await bob.ok('GET', path(roomId, `/state/m.room.member/${encodeURIComponent(bob.userId)}`))
      assert.equal(member.join_authorised_via_users_server, ann.userId)
      assert.deepEqual(await stateIds(bob, roomId), await stateIds(ann, roomId))
    })
  }
}
