/**
 * Random things happen in random rooms, and clients of every kind follow: at the end each has seen every event that it may
 * see, once and in order, and has the room's state. HOLDFAST_SYNC_SEEDS=n runs n seeds, HOLDFAST_SYNC_FIRST_SEED from where.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { expectedRoom, stateName, type RoomEvent } from '../testing/expected-room.ts'
import { FollowingClient, type FollowedRoom } from '../testing/following-client.ts'
import { startTestHomeserver, type TestHomeserver, type TestUser } from '../testing/homeserver.ts'
import { seeded, type Seeded } from '../testing/seeded.ts'

const SEEDS = Number(process.env['HOLDFAST_SYNC_SEEDS'] ?? 3)
const FIRST_SEED = Number(process.env['HOLDFAST_SYNC_FIRST_SEED'] ?? 1)
const ROUNDS = 60
const VISIBILITIES = ['shared', 'shared', 'invited', 'joined', 'world_readable'] as const

type World = {
  readonly server: TestHomeserver
  readonly chance: Seeded
  /** Makes the rooms, and never leaves them. */
  readonly root: TestUser
  readonly users: readonly TestUser[]
  readonly rooms: readonly string[]
  readonly clients: FollowingClient[]
  readonly sent: { readonly roomId: string; readonly eventId: string; readonly sender: TestUser }[]
  transactions: number
}

/** 33: an invitation after a stay; 1011: somebody comes and changes their name while the filter hides both. */
const FOUND = [33, 1011]
const seeds = Array.from({ length: SEEDS }, (_, index) => FIRST_SEED + index)

for (const seed of process.env['HOLDFAST_SYNC_SEEDS'] === undefined ? [...seeds, ...FOUND] : seeds) {
  test(`[SYNC1] every client sees every event it may see once, and has the state (seed ${seed})`, async () => {
    await using server = await startTestHomeserver({ settings: { presence: false } })
    const world = await makeWorld(server, seeded(seed))
    for (let round = 0; round < ROUNDS; round += 1) await playRound(world, round)
    for (const client of world.clients) while (await client.sync()) continue
    for (const roomId of world.rooms) await checkRoom(world, roomId)
    await checkAccountData(world)
  })
}

async function makeWorld(server: TestHomeserver, chance: Seeded): Promise<World> {
  const root = await server.user('root')
  const users = [await server.user('ann'), await server.user('bob'), await server.user('cat')]
  const rooms: string[] = []
  for (let index = 0; index < 3; index += 1) {
    const content = { history_visibility: chance.pick(VISIBILITIES) }
    const initial_state = [{ type: 'm.room.history_visibility', content }]
    // Everybody may set the states that the rounds set.
    const power_level_content_override = { state_default: 0, events: { 'm.room.power_levels': 100 } }
    const body = { preset: 'public_chat', initial_state, power_level_content_override }
    rooms.push((await root.ok('POST', '/createRoom', body)).room_id)
  }
  return { server, chance, root, users, rooms, clients: [], sent: [], transactions: 0 }
}

async function playRound(world: World, round: number): Promise<void> {
  const { chance, clients, server } = world
  if (round % 8 === 0 && clients.length < 12) clients.push(await newClient(world))
  const work: Promise<unknown>[] = []
  const operations = chance.oneIn(6) ? 25 : 1 + chance.below(5)
  for (let index = 0; index < operations; index += 1) {
    const done = operate(world)
    // Some things happen one after the other, others at once.
    if (chance.oneIn(2)) await done
    else work.push(done)
  }
  for (const client of clients) {
    if (!chance.oneIn(3)) continue
    const how = { fullState: chance.oneIn(8), lost: chance.oneIn(5), timeoutMs: chance.oneIn(4) ? 20 : 0 }
    work.push(client.sync(how))
  }
  await Promise.all(work)
  if (chance.oneIn(15)) await server.restart()
}

async function newClient({ chance, clients, users, root, server }: World): Promise<FollowingClient> {
  const user = await anotherDevice(server, chance.pick([...users, root]))
  const timelineTypes = chance.oneIn(3) ? ['m.room.message', 'm.room.topic'] : undefined
  const options = {
    user,
    timelineLimit: chance.pick([1, 2, 3, 10, 50]),
    pageLimit: chance.pick([1, 3, 20]),
    ...(timelineTypes === undefined ? {} : { timelineTypes }),
    lazyLoadMembers: chance.oneIn(3),
    useStateAfter: chance.oneIn(3),
  }
  const described = JSON.stringify({ ...options, user: user.userId, number: clients.length })
  return new FollowingClient({ ...options, name: described })
}

/** Members that were sent lazily are remembered by device. */
async function anotherDevice(server: TestHomeserver, user: TestUser): Promise<TestUser> {
  const password = `secret-${user.userId.slice(1).split(':')[0]}`
  const body = { type: 'm.login.password', identifier: { type: 'm.id.user', user: user.userId }, password }
  const { access_token: token, device_id: deviceId } = await server.ok('POST', '/login', { body })
  return {
    ...user,
    token,
    deviceId,
    request: (method, target, sent) => server.request(method, target, { token, body: sent }),
    ok: (method, target, sent) => server.ok(method, target, { token, body: sent }),
  }
}

/** Something that may be refused, but never by a broken server. */
async function operate(world: World): Promise<void> {
  const { chance, root, rooms, users } = world
  const user = chance.pick(users)
  const roomId = chance.pick(rooms)
  const room = `/rooms/${encodeURIComponent(roomId)}`
  const target = { user_id: user.userId }
  const text = `${(world.transactions += 1)}`
  const profile = `/user/${encodeURIComponent(user.userId)}`
  const acts: readonly (() => ReturnType<TestUser['request']>)[] = [
    () => say(world, user, roomId),
    () => say(world, user, roomId),
    () => say(world, root, roomId),
    () => say(world, root, roomId),
    () => user.request('PUT', `${room}/state/m.room.topic`, { topic: text }),
    () => root.request('PUT', `${room}/state/m.room.topic`, { topic: text }),
    () => root.request('PUT', `${room}/state/org.example.thing/${chance.below(4)}`, { text }),
    () => user.request('PUT', `${room}/state/org.example.thing/${chance.below(4)}`, { text }),
    () => user.request('POST', `${room}/join`, {}),
    () => user.request('POST', `${room}/join`, {}),
    () => user.request('POST', `${room}/leave`, {}),
    () => user.request('POST', `${room}/${chance.pick(['leave', 'forget'])}`, {}),
    () => user.request('POST', `/knock/${encodeURIComponent(roomId)}`, {}),
    () => setJoinRule(world, room),
    () => root.request('POST', `${room}/${chance.pick(['kick', 'ban', 'unban', 'unban', 'invite'])}`, target),
    () => redact(world),
    () => user.request('PUT', `/profile/${encodeURIComponent(user.userId)}/displayname`, { displayname: text }),
    () => user.request('PUT', `${profile}/rooms/${encodeURIComponent(roomId)}/account_data/org.example.note`, { text }),
    () => user.request('PUT', `${profile}/account_data/org.example.note.${chance.below(3)}`, { text }),
    () => setVisibility(world, room),
  ]
  const { status, body } = await chance.pick(acts)()
  assert.equal(status < 500, true, JSON.stringify(body))
}

async function say(world: World, user: TestUser, roomId: string): ReturnType<TestUser['request']> {
  const number = (world.transactions += 1)
  const path = `/rooms/${encodeURIComponent(roomId)}/send/m.room.message/${number}`
  const answer = await user.request('PUT', path, { msgtype: 'm.text', body: `${number}` })
  if (answer.status === 200) world.sent.push({ roomId, eventId: answer.body.event_id, sender: user })
  return answer
}

async function redact(world: World): ReturnType<TestUser['request']> {
  const { chance, root, sent } = world
  if (sent.length === 0) return root.request('GET', '/joined_rooms')
  const { roomId, eventId, sender } = chance.pick(sent)
  const number = (world.transactions += 1)
  const path = `/rooms/${encodeURIComponent(roomId)}/redact/${encodeURIComponent(eventId)}/${number}`
  return chance.pick([root, sender]).request('PUT', path, {})
}

function setVisibility({ chance, root }: World, room: string): ReturnType<TestUser['request']> {
  if (!chance.oneIn(3)) return root.request('GET', '/joined_rooms')
  const content = { history_visibility: chance.pick(VISIBILITIES) }
  return root.request('PUT', `${room}/state/m.room.history_visibility`, content)
}

function setJoinRule({ chance, root }: World, room: string): ReturnType<TestUser['request']> {
  const content = { join_rule: chance.pick(['public', 'public', 'invite', 'knock']) }
  return root.request('PUT', `${room}/state/m.room.join_rules`, content)
}

async function allEvents(user: TestUser, roomId: string): Promise<readonly RoomEvent[]> {
  const found: RoomEvent[] = []
  let from: string | undefined = 's0'
  while (from !== undefined) {
    const path = `/rooms/${encodeURIComponent(roomId)}/messages?dir=f&limit=100&from=${from}`
    const page: { chunk: RoomEvent[]; end?: string } = await user.ok('GET', path)
    found.push(...page.chunk)
    from = page.end === from ? undefined : page.end
  }
  return found
}

async function checkRoom({ clients, root }: World, roomId: string): Promise<void> {
  const all = await allEvents(root, roomId)
  assert.equal(new Set(all.map(({ event_id }) => event_id)).size, all.length)
  for (const { options, rooms } of clients) {
    const expected = expectedRoom(all, options.user.userId)
    const room = rooms.get(roomId)
    // Who came and went before this client began is not told of it.
    if (expected === undefined || (room === undefined && !expected.isJoined)) continue
    assert.ok(room !== undefined, `${options.name} lacks a room`)
    // While an invitation or a knock waits, a room shows nothing else; its answer brings the rest.
    if (expected.isWaiting) continue
    if (!expected.isJoined && (await isForgotten(options.user, roomId))) {
      assert.equal(room.isJoined, false, `${options.name} does not know that it left`)
      continue
    }
    const types = options.timelineTypes
    const shown = expected.events.filter(({ type }) => types === undefined || types.includes(type))
    assertAlike(room.events.map(brief), shown.map(brief), options.name)
    const ignoresMembers = options.lazyLoadMembers
    assert.deepEqual(comparable(room.state, ignoresMembers), comparable(expected.state, ignoresMembers), options.name)
    await checkReads(options.user, roomId, expected.state)
    if (expected.isJoined) await checkSummary(root, roomId, room, options.name)
  }
}

async function isForgotten(user: TestUser, roomId: string): Promise<boolean> {
  return (await user.request('GET', `/rooms/${encodeURIComponent(roomId)}/messages?dir=b`)).status === 403
}

/** Where two lists part, and what is there: whole lists are too long to read. */
function assertAlike(actual: readonly string[], expected: readonly string[], name: string): void {
  const index = expected.findIndex((line, at) => actual[at] !== line)
  const from = Math.max(0, (index < 0 ? expected.length : index) - 3)
  const seen = { index, actual: actual.slice(from, from + 12), expected: expected.slice(from, from + 12) }
  assert.ok(index < 0 && actual.length === expected.length, `${name}: ${JSON.stringify(seen, undefined, 1)}`)
}

function brief({ event_id, type, content }: RoomEvent): string {
  return `${event_id} ${type} ${JSON.stringify(content['membership'] ?? content['topic'] ?? '')}`
}

function comparable(state: ReadonlyMap<string, string>, ignoresMembers: boolean): readonly string[] {
  const entries = [...state].filter(([name]) => !ignoresMembers || !name.startsWith('["m.room.member"'))
  return entries.map(([name, id]) => `${name} ${id}`).sort()
}

async function checkReads(user: TestUser, roomId: string, state: ReadonlyMap<string, string>): Promise<void> {
  const answer = await user.request('GET', `/rooms/${encodeURIComponent(roomId)}/state`)
  // A room that is open to everybody shows its present state, also to those who left.
  const ids = new Map((answer.body as RoomEvent[]).map((event) => [stateName(event), event.event_id]))
  const isOpen = JSON.stringify(answer.body).includes('"history_visibility":"world_readable"')
  if (!isOpen) assert.deepEqual(comparable(ids, false), comparable(state, false))
}

async function checkSummary(root: TestUser, roomId: string, room: FollowedRoom, name: string): Promise<void> {
  const { joined } = await root.ok('GET', `/rooms/${encodeURIComponent(roomId)}/joined_members`)
  assert.equal(room.joinedCount, Object.keys(joined).length, name)
}

async function checkAccountData({ clients, rooms }: World): Promise<void> {
  for (const client of clients) {
    const { user } = client.options
    const own = `/user/${encodeURIComponent(user.userId)}`
    for (const [type, content] of client.accountData) {
      if (type.startsWith('org.')) assert.deepEqual(content, await user.ok('GET', `${own}/account_data/${type}`))
    }
    for (const roomId of rooms) {
      const note = await user.request('GET', `${own}/rooms/${encodeURIComponent(roomId)}/account_data/org.example.note`)
      const room = client.rooms.get(roomId)
      if (note.status !== 200 || room?.isJoined !== true) continue
      assert.deepEqual(room.accountData.get('org.example.note'), note.body, client.options.name)
    }
  }
}
