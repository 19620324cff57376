import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createManualClock, type ManualClock } from '@holdfast/platform/clock/manual-clock'
import { until, untilSomebodyWaits } from '../testing/until.ts'
import { startTestHomeserver, type TestHomeserver, type TestUser, type TestResponse } from '../testing/homeserver.ts'

/** A test looks where it expects something. */
type Json = TestResponse['body']

const PAUSE_MS = 100

type World = AsyncDisposable & {
  readonly server: TestHomeserver
  readonly clock: ManualClock
  readonly roomId: string
  readonly path: string
  readonly ann: TestUser
  readonly bob: TestUser
}

/** Two users in a room, and a clock that stands still. Nobody is told of presence here. */
async function aRoom(): Promise<World> {
  const clock = createManualClock()
  const server = await startTestHomeserver({ clock, settings: { presence: false } })
  const ann = await server.user('ann')
  const bob = await server.user('bob')
  const { room_id: roomId } = await ann.ok('POST', '/createRoom', { preset: 'public_chat' })
  const path = `/rooms/${encodeURIComponent(roomId)}`
  await bob.ok('POST', `${path}/join`, {})
  return { server, clock, roomId, path, ann, bob, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
}

type Told = { readonly users: readonly string[] | undefined; readonly token: string; readonly answer: Json }

/** Who types, as a sync tells; undefined if it tells nothing of it. */
async function told(world: World, user: TestUser, since?: string): Promise<Told> {
  const answer = await user.ok('GET', since === undefined ? '/sync' : `/sync?since=${since}`)
  const events = answer.rooms?.join?.[world.roomId]?.ephemeral.events ?? []
  const typing = events.filter((event: Json) => event.type === 'm.typing')
  assert.ok(typing.length <= 1)
  return { users: typing[0]?.content.user_ids, token: answer.next_batch, answer }
}

/** After the pause that follows what was told before. */
async function types(world: World, user: TestUser, body: unknown): Promise<Json> {
  await world.clock.advance(PAUSE_MS)
  return user.ok('PUT', `${world.path}/typing/${user.userId}`, body)
}

test('who types is told to the room, to new syncs too, and so is the end', async () => {
  await using world = await aRoom()
  const start = await told(world, world.bob)
  assert.equal(start.users, undefined)
  await types(world, world.ann, { typing: true, timeout: 20_000 })
  const during = await told(world, world.bob, start.token)
  assert.deepEqual(during.users, [world.ann.userId])
  assert.deepEqual((await told(world, world.bob)).users, [world.ann.userId])
  assert.equal((await told(world, world.bob, during.token)).answer.rooms, undefined)
  await types(world, world.ann, { typing: false })
  const end = await told(world, world.bob, during.token)
  assert.deepEqual(end.users, [])
  assert.equal((await told(world, world.bob)).users, undefined)
  assert.equal((await told(world, world.bob, end.token)).answer.rooms, undefined)
})

test('typing ends by itself after its time, and that wakes who waits', async () => {
  await using world = await aRoom()
  await types(world, world.ann, { typing: true, timeout: 5_000 })
  const { token } = await told(world, world.bob)
  const waiting = world.bob.ok('GET', `/sync?since=${token}&timeout=60000`)
  await untilSomebodyWaits(world.server)
  await world.clock.advance(4_999)
  assert.deepEqual((await told(world, world.bob)).users, [world.ann.userId])
  await world.clock.advance(1)
  assert.deepEqual((await waiting).rooms.join[world.roomId].ephemeral.events[0].content.user_ids, [])
})

test('[TYP1] typing lasts 30 seconds by default and two minutes at most', async () => {
  await using world = await aRoom()
  for (const [timeout, ms] of [
    [undefined, 30_000],
    [2 ** 31, 120_000],
    [Number.MAX_SAFE_INTEGER, 120_000],
  ] as const) {
    await types(world, world.ann, { typing: true, timeout })
    await world.clock.advance(ms - 1)
    assert.deepEqual((await told(world, world.bob)).users, [world.ann.userId])
    await world.clock.advance(1)
    await until(async () => (await told(world, world.bob)).users === undefined, 'typing did not end')
  }
})

test('no time at all, or less, is no typing; no form of it sets the server spinning', async () => {
  await using world = await aRoom()
  for (const timeout of [0, -1, -(2 ** 31), Number.MIN_SAFE_INTEGER]) {
    await types(world, world.ann, { typing: true, timeout: 1_000 })
    await types(world, world.ann, { typing: true, timeout })
    assert.equal((await told(world, world.bob)).users, undefined)
  }
  for (const timeout of ['5', 1.5, null, true, {}]) {
    const body = { typing: true, timeout }
    assert.equal((await world.ann.request('PUT', `${world.path}/typing/${world.ann.userId}`, body)).status, 400)
  }
  for (const body of [
    '{"typing":true,"timeout":1e400}',
    '{"typing":"yes"}',
    '{}',
    '[]',
    '{"typing":true,"timeout":NaN}',
  ]) {
    assert.equal((await world.ann.request('PUT', `${world.path}/typing/${world.ann.userId}`, body)).status, 400, body)
  }
  assert.equal((await told(world, world.bob)).users, undefined)
})

test('[TYP2] saying again that one types prolongs it and is not told', async () => {
  await using world = await aRoom()
  await types(world, world.ann, { typing: true, timeout: 20_000 })
  const { token } = await told(world, world.bob)
  await world.clock.advance(15_000)
  await types(world, world.ann, { typing: 1, timeout: 20_000 })
  assert.equal((await told(world, world.bob, token)).answer.rooms, undefined)
  await world.clock.advance(15_000)
  assert.deepEqual((await told(world, world.bob)).users, [world.ann.userId])
})

test('several who type at once are all told', async () => {
  await using world = await aRoom()
  const { token } = await told(world, world.bob)
  await Promise.all([types(world, world.ann, { typing: true }), types(world, world.bob, { typing: true })])
  await world.clock.advance(PAUSE_MS)
  const isBoth = async (): Promise<boolean> => (await told(world, world.bob, token)).users?.length === 2
  await until(isBoth, 'not both are told')
})

test('[TYP5] who starts and stops all the time is not told of every time, and the last word counts', async () => {
  await using world = await aRoom()
  await types(world, world.ann, { typing: true })
  const first = await told(world, world.bob)
  const put = (typing: boolean): Promise<Json> =>
    world.ann.ok('PUT', `${world.path}/typing/${world.ann.userId}`, { typing })
  for (let round = 0; round < 20; round += 1) {
    await put(false)
    await put(true)
  }
  await put(false)
  assert.equal((await told(world, world.bob, first.token)).token, first.token)
  await world.clock.advance(PAUSE_MS)
  await until(async () => (await told(world, world.bob, first.token)).users?.length === 0, 'the end is not told')
})

test('nobody can type for another, in a room they are not in, or in none', async () => {
  await using world = await aRoom()
  const eve = await world.server.user('eve')
  const tries: [TestUser, string][] = [
    [world.ann, `${world.path}/typing/${world.bob.userId}`],
    [eve, `${world.path}/typing/${eve.userId}`],
    [eve, `/rooms/!nowhere:example.org/typing/${eve.userId}`],
  ]
  for (const [user, path] of tries) {
    const refused = await user.request('PUT', path, { typing: true })
    assert.deepEqual([refused.status, refused.body.errcode], [403, 'M_FORBIDDEN'])
  }
  assert.equal((await told(world, world.bob)).users, undefined)
})

test('[TYP3] who leaves does not type any more, and hears no more of who does', async () => {
  await using world = await aRoom()
  await types(world, world.ann, { typing: true })
  await types(world, world.bob, { typing: true })
  await world.bob.ok('POST', `${world.path}/leave`, {})
  assert.deepEqual((await told(world, world.ann)).users, [world.ann.userId])
  const { answer } = await told(world, world.bob)
  assert.doesNotMatch(JSON.stringify(answer), /m\.typing/)
})

test('[TYP4] after a restart nobody types, and who was told otherwise is told', async () => {
  await using world = await aRoom()
  await types(world, world.ann, { typing: true })
  const during = await told(world, world.bob)
  await types(world, world.ann, { typing: false })
  await types(world, world.ann, { typing: true })
  await world.server.restart()
  assert.deepEqual((await told(world, world.bob, during.token)).users, [])
  assert.equal((await told(world, world.bob)).users, undefined)

  await types(world, world.ann, { typing: true })
  const again = await told(world, world.bob)
  await types(world, world.ann, { typing: false })
  await world.server.restart()
  await world.server.restart()
  const end = await told(world, world.bob, again.token)
  assert.deepEqual(end.users, [])
  assert.equal((await told(world, world.bob, end.token)).answer.rooms, undefined)
})

test('filters and ignored users are respected', async () => {
  await using world = await aRoom()
  await types(world, world.ann, { typing: true })
  const filter = encodeURIComponent(JSON.stringify({ room: { ephemeral: { not_types: ['m.typing'] } } }))
  assert.doesNotMatch(JSON.stringify(await world.bob.ok('GET', `/sync?filter=${filter}`)), /m\.typing/)
  const ignored = { ignored_users: { [world.ann.userId]: {} } }
  await world.bob.ok('PUT', `/user/${world.bob.userId}/account_data/m.ignored_user_list`, ignored)
  assert.deepEqual((await told(world, world.bob)).users ?? [], [])
})
