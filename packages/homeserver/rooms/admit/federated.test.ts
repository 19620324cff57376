import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import type { TestUser } from '../../testing/homeserver.ts'
import { startFederatedHomeservers, type Federation } from '../../testing/two-homeservers.ts'
import { until } from '../../testing/until.ts'

const A = 'a.example'
const B = 'b.example'
const VERSIONS = ['1', '2', '6', '8', '10', '11', '12']

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
  return Object.fromEntries(state.map((event) => [`${event.type} ${event.state_key}`, event.event_id]).sort())
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
}
