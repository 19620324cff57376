import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import type { ServerName } from '@holdfast/protocol/ids/brand'
import type { TestUser } from '../../testing/homeserver.ts'
import { startFederatedHomeservers, type Federation } from '../../testing/two-homeservers.ts'
import { until } from '../../testing/until.ts'
import { part } from './testing/peer-events.ts'

const A = 'a.example'
const B = 'b.example'
const C = 'c.example'

type World = Federation & { readonly ann: TestUser; readonly bob: TestUser; readonly carl: TestUser }

async function world(t: TestContext): Promise<World> {
  // The keys of a server that cannot be reached come from one that knew it.
  const settings = { keyNotaries: [B as ServerName] }
  const federation = await startFederatedHomeservers([A, B, C], { settings })
  t.after(() => federation[Symbol.asyncDispose]())
  const [a, b, c] = federation.servers
  return { ...federation, ann: await a!.user('ann'), bob: await b!.user('bob'), carl: await c!.user('carl') }
}

async function createRoom(user: TestUser, version: string, more: object = { preset: 'public_chat' }): Promise<string> {
  return (await user.ok('POST', '/createRoom', { room_version: version, ...more })).room_id as string
}

async function join(user: TestUser, roomId: string, server: string): Promise<void> {
  await user.ok('POST', `/join/${part(roomId)}?server_name=${server}`, {})
}

async function membership(viewer: TestUser, roomId: string, userId: string): Promise<string | undefined> {
  const target = `/rooms/${part(roomId)}/state/m.room.member/${part(userId)}`
  const { status, body } = await viewer.request('GET', target)
  return status === 200 ? body.membership : undefined
}

async function say(user: TestUser, roomId: string, body: string): Promise<string> {
  const content = { msgtype: 'm.text', body }
  return (await user.ok('PUT', `/rooms/${part(roomId)}/send/m.room.message/${part(body)}`, content)).event_id as string
}

async function untilHeard(user: TestUser, roomId: string, eventId: string): Promise<void> {
  const target = `/rooms/${part(roomId)}/event/${part(eventId)}`
  await until(async () => (await user.request('GET', target)).status === 200, `${user.userId} hears ${eventId}`)
}

async function stateIds(user: TestUser, roomId: string): Promise<Record<string, string>> {
  const state = (await user.ok('GET', `/rooms/${part(roomId)}/state`)) as {
    type: string
    state_key: string
    event_id: string
  }[]
  return Object.fromEntries(state.map((event) => [`${event.type} ${event.state_key}`, event.event_id]))
}

/** All of them come to the same state. */
async function untilAgreed(users: readonly TestUser[], roomId: string): Promise<void> {
  const sorted = (state: Record<string, string>) =>
    JSON.stringify(Object.fromEntries(Object.entries(state).toSorted(([a], [b]) => (a < b ? -1 : 1))))
  await until(async () => {
    const states = await Promise.all(users.map(async (user) => sorted(await stateIds(user, roomId))))
    return new Set(states).size === 1
  }, 'the servers agree')
}

for (const version of ['1', '6', '10', '12']) {
  test(`who lets a user in tells the other servers: version ${version}`, async (t) => {
    const { ann, bob, carl } = await world(t)
    const roomId = await createRoom(ann, version)
    await join(bob, roomId, A)
    await join(carl, roomId, B)
    await until(async () => (await membership(ann, roomId, carl.userId)) === 'join', 'ann hears of carl')
    await untilHeard(ann, roomId, await say(carl, roomId, 'from carl'))
    await untilHeard(carl, roomId, await say(ann, roomId, 'from ann'))
    await untilHeard(carl, roomId, await say(bob, roomId, 'from bob'))
    await untilAgreed([ann, bob, carl], roomId)
  })

  test(`what three servers do at once ends in one state: version ${version}`, async (t) => {
    const { ann, bob, carl } = await world(t)
    const users = [ann, bob, carl]
    const content = { users: Object.fromEntries(users.map(({ userId }) => [userId, 100])) }
    const roomId = await createRoom(ann, version, {
      preset: 'public_chat',
      ...(version === '12'
        ? { power_level_content_override: { state_default: 0 } }
        : { power_level_content_override: content }),
    })
    await join(bob, roomId, A)
    await join(carl, roomId, A)
    await untilAgreed(users, roomId)
    await Promise.all(
      users.flatMap((user) =>
        [1, 2, 3].map((n) =>
          user.ok('PUT', `/rooms/${part(roomId)}/state/m.room.topic`, { topic: `${user.userId} ${n}` }),
        ),
      ),
    )
    const last = await Promise.all(users.map((user) => say(user, roomId, `the end for ${user.userId}`)))
    for (const user of users) for (const eventId of last) await untilHeard(user, roomId, eventId)
    await untilAgreed(users, roomId)
  })

  test(`a user leaves though no other server can be reached, and is invited again: version ${version}`, async (t) => {
    const { ann, bob, cutOff } = await world(t)
    const roomId = await createRoom(ann, version, {})
    await ann.ok('POST', `/rooms/${part(roomId)}/invite`, { user_id: bob.userId })
    cutOff(A, true)
    await bob.ok('POST', `/rooms/${part(roomId)}/leave`, {})
    assert.equal((await bob.ok('GET', '/sync')).rooms?.invite?.[roomId], undefined)
    cutOff(A, false)
    await ann.ok('POST', `/rooms/${part(roomId)}/invite`, { user_id: bob.userId })
    assert.ok((await bob.ok('GET', '/sync')).rooms.invite[roomId])
    await join(bob, roomId, A)
    await untilAgreed([ann, bob], roomId)
  })

  test(`another server helps where the first cannot be reached: version ${version}`, async (t) => {
    const { ann, bob, carl, cutOff } = await world(t)
    const roomId = await createRoom(ann, version)
    await join(bob, roomId, A)
    cutOff(A, true)
    await carl.ok('POST', `/join/${part(roomId)}?server_name=${A}&server_name=${B}`, {})
    await untilHeard(carl, roomId, await say(bob, roomId, 'hello'))
    await untilAgreed([bob, carl], roomId)
  })

  test(`a redaction counts on every server: version ${version}`, async (t) => {
    const { ann, bob } = await world(t)
    const roomId = await createRoom(ann, version)
    await join(bob, roomId, A)
    const eventId = await say(bob, roomId, 'oops')
    await untilHeard(ann, roomId, eventId)
    await ann.ok('PUT', `/rooms/${part(roomId)}/redact/${part(eventId)}/1`, {})
    const target = `/rooms/${part(roomId)}/event/${part(eventId)}`
    await until(async () => (await bob.ok('GET', target)).content.body === undefined, 'bob hears of the redaction')
  })

  test(`a user who is in the room on the same server is invited like any other: version ${version}`, async (t) => {
    const { ann, bob, servers } = await world(t)
    const dan = await servers[1]!.user('dan')
    const roomId = await createRoom(ann, version, {})
    await ann.ok('POST', `/rooms/${part(roomId)}/invite`, { user_id: bob.userId })
    await join(bob, roomId, A)
    await ann.ok('POST', `/rooms/${part(roomId)}/invite`, { user_id: dan.userId })
    await until(async () => (await dan.ok('GET', '/sync')).rooms?.invite?.[roomId] !== undefined, 'dan is invited')
    await dan.ok('POST', `/rooms/${part(roomId)}/join`, {})
    await until(async () => (await membership(ann, roomId, dan.userId)) === 'join', 'ann hears of dan')
    await untilAgreed([ann, bob, dan], roomId)
  })
}

for (const version of ['8', '10', '12']) {
  test(`a server without anybody who may invite asks one that has: version ${version}`, async (t) => {
    const { ann, bob, servers } = await world(t)
    const dan = await servers[1]!.user('dan')
    const space = await createRoom(ann, version)
    const content = { join_rule: 'restricted', allow: [{ type: 'm.room_membership', room_id: space }] }
    const roomId = await createRoom(ann, version, {
      initial_state: [{ type: 'm.room.join_rules', state_key: '', content }],
      power_level_content_override: { invite: 50 },
    })
    for (const user of [bob, dan]) await join(user, space, A)
    await join(bob, roomId, A)
    await dan.ok('POST', `/rooms/${part(roomId)}/join`, {})
    assert.equal(await membership(ann, roomId, dan.userId), 'join')
    await untilAgreed([ann, bob, dan], roomId)
  })

  test(`a knock is turned down: version ${version}`, async (t) => {
    const { ann, bob } = await world(t)
    const initial_state = [{ type: 'm.room.join_rules', state_key: '', content: { join_rule: 'knock' } }]
    const roomId = await createRoom(ann, version, { initial_state })
    const knocks = async () => (await bob.ok('GET', '/sync')).rooms?.knock?.[roomId] !== undefined
    await bob.ok('POST', `/knock/${part(roomId)}?server_name=${A}`, {})
    assert.ok(await knocks())
    await ann.ok('POST', `/rooms/${part(roomId)}/kick`, { user_id: bob.userId })
    await until(async () => !(await knocks()), 'the knock is over')
  })
}
