import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createManualClock, type ManualClock } from '@holdfast/platform/clock/manual-clock'
import { until, untilSomebodyWaits } from '../testing/until.ts'
import { startTestHomeserver, type TestHomeserver, type TestUser, type TestResponse } from '../testing/homeserver.ts'

/** A test looks where it expects something. */
type Json = TestResponse['body']

type World = AsyncDisposable & { readonly server: TestHomeserver; readonly clock: ManualClock }

async function aWorld(settings: { presence?: boolean } = {}): Promise<World> {
  const clock = createManualClock()
  const server = await startTestHomeserver({ clock, settings })
  return { server, clock, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
}

/** A room of the users, made by the first. */
async function together(creator: TestUser, ...others: readonly TestUser[]): Promise<string> {
  const { room_id: roomId } = await creator.ok('POST', '/createRoom', { preset: 'public_chat' })
  for (const other of others) await other.ok('POST', `/rooms/${encodeURIComponent(roomId)}/join`, {})
  return roomId
}

type Answer = { readonly of: Readonly<Record<string, Json>>; readonly token: string }

/** Syncs without telling anything of the user, unless the query says so. */
async function look(user: TestUser, query = ''): Promise<Answer> {
  const quiet = query.includes('set_presence') ? '' : '&set_presence=offline'
  const answer = await user.ok('GET', `/sync?${query}${quiet}`)
  const events = (answer.presence?.events ?? []) as Json[]
  for (const event of events) assert.equal(event.type, 'm.presence')
  assert.equal(new Set(events.map((event) => event.sender)).size, events.length)
  return { of: Object.fromEntries(events.map((event) => [event.sender, event.content])), token: answer.next_batch }
}

async function status(user: TestUser, of: TestUser = user): Promise<Json> {
  return user.ok('GET', `/presence/${of.userId}/status`)
}

function say(user: TestUser, presence: string, status_msg?: string): Promise<Json> {
  return user.ok('PUT', `/presence/${user.userId}/status`, { presence, status_msg })
}

/** The user comes to have this presence. */
function becomes(user: TestUser, presence: string): Promise<void> {
  return until(async () => (await status(user)).presence === presence, `${user.userId} does not become ${presence}`)
}

/** What timers set off is on disk: commits end outside the manual clock. */
function settled(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 60))
}

async function pass(world: World, ms: number): Promise<void> {
  await world.clock.advance(ms)
  await settled()
}

test('what a user says is told to themselves and to those who share a room, in full', async () => {
  await using world = await aWorld()
  const ann = await world.server.user('ann')
  const bob = await world.server.user('bob')
  await together(ann, bob)
  const before = await look(bob)
  await say(ann, 'online', 'making tea')
  const expected = {
    user_id: ann.userId,
    presence: 'online',
    last_active_ago: 0,
    currently_active: true,
    status_msg: 'making tea',
  }
  const after = await look(bob, `since=${before.token}`)
  assert.deepEqual(after.of, { [ann.userId]: expected })
  assert.deepEqual((await look(bob, `since=${after.token}`)).of, {})
  assert.deepEqual((await look(bob)).of[ann.userId], expected)
  assert.deepEqual((await look(ann)).of[ann.userId], expected)
  const { user_id: _, ...asked } = expected
  assert.deepEqual(await status(bob, ann), asked)
})

test('[PRE1] syncing makes online, each device counts, and half a minute without any makes offline', async () => {
  await using world = await aWorld()
  const ann = await world.server.user('ann')
  assert.equal((await status(ann)).presence, 'offline')
  const first = await ann.ok('GET', '/sync')
  assert.equal(first.presence.events[0].content.presence, 'online')
  const waiting = ann.ok('GET', `/sync?since=${first.next_batch}&timeout=60000`)
  await untilSomebodyWaits(world.server)
  await pass(world, 59_000)
  assert.equal((await status(ann)).presence, 'online')
  await pass(world, 1_000)
  await waiting
  await pass(world, 29_999)
  assert.equal((await status(ann)).presence, 'online')
  await pass(world, 1)
  await becomes(ann, 'offline')
})

test('a sync that says offline tells nothing, and one that says unavailable tells that', async () => {
  await using world = await aWorld()
  const ann = await world.server.user('ann')
  const quiet = await look(ann)
  assert.equal(quiet.of[ann.userId].presence, 'offline')
  await look(ann, 'set_presence=unavailable')
  assert.equal((await status(ann)).presence, 'unavailable')
  await look(ann)
  assert.equal((await status(ann)).presence, 'unavailable')
  await pass(world, 1_000)
  await look(ann, 'set_presence=online')
  assert.equal((await status(ann)).presence, 'online')
})

test('[PRE3] a state that the user set lasts while syncs repeat themselves', async () => {
  await using world = await aWorld()
  const ann = await world.server.user('ann')
  await look(ann, 'set_presence=online')
  await say(ann, 'unavailable', 'away')
  for (let round = 0; round < 3; round += 1) {
    await pass(world, 2_000)
    await look(ann, 'set_presence=online')
    assert.deepEqual((await status(ann)).presence, 'unavailable')
  }
  await say(ann, 'offline')
  await pass(world, 2_000)
  await look(ann, 'set_presence=online')
  assert.equal((await status(ann)).presence, 'offline')
})

test('[PRE2] [PRE7] five idle minutes make unavailable, an action makes online again, and actions while online are not told', async () => {
  await using world = await aWorld()
  const ann = await world.server.user('ann')
  const roomId = await together(ann)
  const first = await ann.ok('GET', '/sync')
  const waits = ann.ok('GET', `/sync?since=${first.next_batch}&timeout=90000`)
  await untilSomebodyWaits(world.server)
  await pass(world, 60_000)
  await ann.ok('PUT', `/rooms/${encodeURIComponent(roomId)}/send/m.room.message/1`, { body: 'x', msgtype: 'm.text' })
  const answer = await waits
  assert.equal(answer.presence, undefined)
  assert.equal((await status(ann)).last_active_ago, 0)
  let token = answer.next_batch
  for (let minute = 0; minute < 5; minute += 1) {
    const waiting = ann.ok('GET', `/sync?since=${token}&timeout=60000`)
    await untilSomebodyWaits(world.server)
    await pass(world, 60_000)
    token = (await waiting).next_batch
  }
  await becomes(ann, 'unavailable')
  const idle = await status(ann)
  assert.deepEqual([idle.presence, idle.currently_active, idle.last_active_ago], ['unavailable', false, 300_000])
  await ann.ok('PUT', `/rooms/${encodeURIComponent(roomId)}/typing/${ann.userId}`, { typing: true })
  await pass(world, 1_000)
  await becomes(ann, 'online')
})

test('[PRE4] two clients of one device that contradict each other change it once a second, not at every sync', async () => {
  await using world = await aWorld()
  const ann = await world.server.user('ann')
  const { token } = await look(ann, 'set_presence=online')
  for (let round = 0; round < 20; round += 1) {
    await look(ann, 'set_presence=unavailable')
    await look(ann, 'set_presence=online')
  }
  assert.equal((await look(ann)).token, token)
  await look(ann, 'set_presence=unavailable')
  await pass(world, 1_000)
  await becomes(ann, 'unavailable')
})

test('[PRE5] strangers neither see nor may ask, and unknown users are answered alike', async () => {
  await using world = await aWorld()
  const ann = await world.server.user('ann')
  const eve = await world.server.user('eve')
  const { token } = await look(eve)
  await say(ann, 'online', 'private')
  assert.deepEqual((await look(eve, `since=${token}`)).of, {})
  assert.deepEqual(Object.keys((await look(eve)).of), [eve.userId])
  const refused = await eve.request('GET', `/presence/${ann.userId}/status`)
  assert.deepEqual([refused.status, refused.body.errcode], [403, 'M_FORBIDDEN'])
  assert.deepEqual((await eve.request('GET', '/presence/@nobody:example.org/status')).body, refused.body)
  assert.equal((await eve.request('PUT', `/presence/${ann.userId}/status`, { presence: 'online' })).status, 403)
})

test('[PRE5] who leaves the last shared room is told no more', async () => {
  await using world = await aWorld()
  const ann = await world.server.user('ann')
  const bob = await world.server.user('bob')
  const roomId = await together(ann, bob)
  await bob.ok('POST', `/rooms/${encodeURIComponent(roomId)}/leave`, {})
  const { token } = await look(bob)
  await say(ann, 'online')
  assert.deepEqual((await look(bob, `since=${token}`)).of, {})
  assert.equal((await bob.request('GET', `/presence/${ann.userId}/status`)).status, 403)
})

test('[PRE6] who joins is told of those who are there, and they of who joined', async () => {
  await using world = await aWorld()
  const ann = await world.server.user('ann')
  const bob = await world.server.user('bob')
  await say(ann, 'online', 'here first')
  await say(bob, 'unavailable')
  const { room_id: roomId } = await ann.ok('POST', '/createRoom', { preset: 'public_chat' })
  const annBefore = await look(ann)
  const bobBefore = await look(bob)
  await bob.ok('POST', `/rooms/${encodeURIComponent(roomId)}/join`, {})
  assert.equal((await look(ann, `since=${annBefore.token}`)).of[bob.userId].presence, 'unavailable')
  const bobAfter = await look(bob, `since=${bobBefore.token}`)
  assert.equal(bobAfter.of[ann.userId].status_msg, 'here first')
  assert.deepEqual((await look(bob, `since=${bobAfter.token}`)).of, {})
})

test('[PRE6] who was never seen is offline to those who meet them', async () => {
  await using world = await aWorld()
  const ann = await world.server.user('ann')
  const bob = await world.server.user('bob')
  const { room_id: roomId } = await ann.ok('POST', '/createRoom', { preset: 'public_chat' })
  const bobBefore = await look(bob)
  const hidden = await ann.ok('GET', '/sync?set_presence=offline')
  await bob.ok('POST', `/rooms/${encodeURIComponent(roomId)}/join`, {})
  const bobAfter = await look(bob, `since=${bobBefore.token}`)
  assert.equal(bobAfter.of[ann.userId].presence, 'offline')
  assert.deepEqual((await look(bob, `since=${bobAfter.token}`)).of, {})
  assert.ok(bob.userId in (await look(ann, `since=${hidden.next_batch}`)).of)
})

test('[PRE10] a waiting sync is woken for a change, and many changes wake it once', async () => {
  await using world = await aWorld()
  const watcher = await world.server.user('watcher')
  const users = await Promise.all(['a', 'b', 'c', 'd'].map((name) => world.server.user(name)))
  await together(watcher, ...users)
  const { token } = await look(watcher)
  const waiting = look(watcher, `since=${token}&timeout=60000`)
  await untilSomebodyWaits(world.server)
  await settled()
  for (const user of users) await say(user, 'online')
  await pass(world, 50)
  const { of } = await waiting
  assert.deepEqual(Object.keys(of).toSorted(), users.map((user) => user.userId).toSorted())
})

test('[PRE8] state and message outlive a restart, and who does not come back is offline after a while', async () => {
  await using world = await aWorld()
  const ann = await world.server.user('ann')
  const bob = await world.server.user('bob')
  await together(ann, bob)
  await say(ann, 'online', 'still here')
  await say(bob, 'online')
  const { token } = await look(bob)
  await world.server.restart()
  const after = await status(bob, ann)
  assert.deepEqual([after.presence, after.status_msg], ['online', 'still here'])
  const waiting = bob.ok('GET', `/sync?since=${token}&timeout=30000`)
  await untilSomebodyWaits(world.server)
  await pass(world, 29_999)
  assert.equal((await status(bob, ann)).presence, 'online')
  await pass(world, 1)
  await waiting
  await becomes(ann, 'offline')
  const gone = (await look(bob, `since=${token}`)).of
  assert.deepEqual([gone[ann.userId].presence, gone[ann.userId].status_msg], ['offline', 'still here'])
  assert.equal(gone[bob.userId], undefined)
  assert.equal((await look(bob)).of[ann.userId], undefined)
})

test('[PRE9] switched off, nothing is kept or told', async () => {
  await using world = await aWorld({ presence: false })
  const ann = await world.server.user('ann')
  assert.deepEqual(await say(ann, 'online', 'unseen'), {})
  assert.deepEqual(await status(ann), { presence: 'offline', currently_active: false })
  const answer = await ann.ok('GET', '/sync')
  assert.equal(answer.presence, undefined)
})

test('filters and ignored users are respected, and a filtered sync is not woken', async () => {
  await using world = await aWorld()
  const ann = await world.server.user('ann')
  const bob = await world.server.user('bob')
  await together(ann, bob)
  await say(ann, 'online')
  const filtered = (presence: object): string => `filter=${encodeURIComponent(JSON.stringify({ presence }))}`
  assert.deepEqual((await look(bob, filtered({ types: [] }))).of, {})
  assert.deepEqual((await look(bob, filtered({ not_types: ['m.*'] }))).of, {})
  assert.deepEqual(Object.keys((await look(bob, filtered({ senders: [ann.userId] }))).of), [ann.userId])
  const ignored = { ignored_users: { [ann.userId]: {} } }
  await bob.ok('PUT', `/user/${bob.userId}/account_data/m.ignored_user_list`, ignored)
  assert.deepEqual(Object.keys((await look(bob)).of), [bob.userId])
})

test('malformed presence is refused, odd messages come back as they were', async () => {
  await using world = await aWorld()
  const ann = await world.server.user('ann')
  const path = `/presence/${ann.userId}/status`
  const bodies = [
    {},
    [],
    { presence: 'busy' },
    { presence: 1 },
    { presence: 'online', status_msg: 7 },
    '{',
    { presence: null },
  ]
  for (const body of bodies) assert.equal((await ann.request('PUT', path, body)).status, 400, JSON.stringify(body))
  assert.equal((await ann.request('PUT', path, { presence: 'online', status_msg: 'x'.repeat(1_001) })).status, 400)
  for (const message of ['', 'NUL \u0000 \uFDD0', '"__proto__"', '\u{1F375}'.repeat(500)]) {
    await say(ann, 'online', message)
    assert.equal((await status(ann)).status_msg, message)
  }
  assert.equal((await ann.request('GET', '/sync?set_presence=busy')).status, 400)
  await say(ann, 'online')
  assert.equal((await status(ann)).status_msg, undefined)
})

test('the event stream of 2018 makes online, and its snapshot shows the presence of oneself', async () => {
  await using world = await aWorld()
  const ann = await world.server.user('ann')
  const fresh = await ann.ok('GET', '/initialSync')
  assert.equal(fresh.presence[0].content.user_id, ann.userId)
  assert.equal(typeof fresh.presence[0].content.last_active_ago, 'number')
  await ann.ok('GET', '/events?timeout=0')
  assert.equal((await status(ann)).presence, 'online')
})

test('[PRE5] the snapshot of a room shows its members, also those who are offline, and to nobody else', async () => {
  await using world = await aWorld()
  const ann = await world.server.user('ann')
  const bob = await world.server.user('bob')
  const roomId = await together(ann, bob)
  const room = `/rooms/${encodeURIComponent(roomId)}`
  await say(bob, 'online')
  const shown = async (user: TestUser): Promise<Json> => (await user.ok('GET', `${room}/initialSync`)).presence
  const states = new Map((await shown(bob)).map(({ content }: Json) => [content.user_id, content.presence]))
  assert.deepEqual(Object.fromEntries(states), { [ann.userId]: 'offline', [bob.userId]: 'online' })
  const event = await ann.ok('PUT', `${room}/send/m.room.message/1`, { body: 'x', msgtype: 'm.text' })
  await bob.ok('POST', `${room}/leave`, {})
  await ann.ok('POST', `${room}/receipt/m.read/${encodeURIComponent(event.event_id)}`, {})
  assert.deepEqual(await shown(bob), [])
  assert.deepEqual((await bob.ok('GET', `${room}/initialSync`)).receipts, [])
})
