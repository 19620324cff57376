import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createManualClock, type ManualClock } from '@holdfast/platform/clock/manual-clock'
import { act } from '../../rooms/serve/testing/far-server.ts'
import { startTestHomeserver, type TestHomeserver, type TestPeer, type TestUser } from '../../testing/homeserver.ts'
import { until } from '../../testing/until.ts'
import { forgetReceivedMessages } from './forget-received.ts'

const PEER = 'other.example'
const BOB = `@bob:${PEER}`
const DAY_MS = 24 * 3_600_000

// oxlint-disable-next-line typescript/no-explicit-any -- a test looks where it expects something
type Json = any

type World = AsyncDisposable & {
  readonly server: TestHomeserver
  readonly clock: ManualClock
  readonly ann: TestUser
  readonly peer: TestPeer
  readonly roomId: string
  /** Sends EDUs, in a transaction of their own. */
  edus(...edus: readonly { readonly type: string; readonly content: unknown }[]): Promise<void>
  say(body: string, content?: object): Promise<string>
}

let transactions = 0

/** Ann is in a room with bob, who is of another server. */
async function aWorld(): Promise<World> {
  const clock = createManualClock({ nowMs: Date.now() })
  const server = await startTestHomeserver({ clock })
  const ann = await server.user('ann')
  const { room_id: roomId } = await ann.ok('POST', '/createRoom', { preset: 'public_chat', room_version: '10' })
  await member({ server, roomId }, BOB)
  const peer = server.peer(PEER)
  let said = 0
  return {
    server,
    clock,
    ann,
    peer,
    roomId,
    edus: (...edus) => sendEdus(peer, edus),
    say: async (body, content = {}) => {
      said += 1
      const sent = { msgtype: 'm.text', body, ...content }
      return (await ann.ok('PUT', `/rooms/${roomId}/send/m.room.message/${said}`, sent)).event_id
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

async function sendEdus(
  peer: TestPeer,
  edus: readonly { readonly type: string; readonly content: unknown }[],
): Promise<void> {
  transactions += 1
  const body = {
    origin: peer.serverName,
    origin_server_ts: 1,
    pdus: [],
    edus: edus.map(({ type, content }) => ({ edu_type: type, content })),
  }
  assert.deepEqual(await peer.ok('PUT', `/v1/send/t${transactions}`, body), { pdus: {} })
}

function member(
  { server, roomId }: Pick<World, 'server' | 'roomId'>,
  userId: string,
  membership = 'join',
): Promise<string> {
  return act(server, roomId, { type: 'm.room.member', stateKey: userId, sender: userId, content: { membership } })
}

async function ephemeral({ ann, roomId }: World, type: string): Promise<readonly Json[]> {
  const answer = await ann.ok('GET', '/sync')
  const events = answer.rooms.join[roomId].ephemeral.events as readonly Json[]
  return events.filter((event) => event.type === type).map(({ content }) => content)
}

async function whoTypes(world: World): Promise<readonly string[]> {
  return (await ephemeral(world, 'm.typing'))[0]?.user_ids ?? []
}

const typing = (roomId: string, userId: unknown, isTyping: unknown = true) => ({
  type: 'm.typing',
  content: { room_id: roomId, user_id: userId, typing: isTyping },
})

const receipt = (roomId: string, userId: string, eventId: unknown, data: unknown = { ts: 1_000 }, type = 'm.read') => ({
  type: 'm.receipt',
  content: { [roomId]: { [type]: { [userId]: { event_ids: [eventId], data } } } },
})

const presence = (...push: readonly object[]) => ({ type: 'm.presence', content: { push } })

const toDevice = (messageId: unknown, messages: unknown, sender: unknown = BOB, type: unknown = 'm.test') => ({
  type: 'm.direct_to_device',
  content: { sender, type, message_id: messageId, messages },
})

/** Things that are not what any member of any EDU should be. */
const WRONG: readonly unknown[] = [
  null,
  1,
  -1,
  1.5,
  '',
  'x',
  '\0',
  true,
  [],
  [[]],
  {},
  { a: {} },
  '@:',
  '!',
  '__proto__',
]

test('[EDU2] who types at another server is told, and so is the end', async () => {
  await using world = await aWorld()
  const { clock, roomId } = world
  await world.edus(typing(roomId, BOB))
  assert.deepEqual(await whoTypes(world), [BOB])
  await clock.advance(1_000)
  await world.edus(typing(roomId, BOB, false))
  assert.deepEqual(await whoTypes(world), [])
  await clock.advance(1_000)
  await world.edus(typing(roomId, BOB))
  await clock.advance(59_000)
  assert.deepEqual(await whoTypes(world), [BOB])
  await clock.advance(2_000)
  await until(async () => (await whoTypes(world)).length === 0, 'typing ends by itself')
})

test('[EDU1] nobody types for others, where they are not, or where their server may not be', async () => {
  await using world = await aWorld()
  const { ann, roomId, server } = world
  await member(world, '@eve:third.example')
  const apart = (await ann.ok('POST', '/createRoom', { room_version: '10' })).room_id as string
  const wrong = [
    typing(roomId, ann.userId),
    typing(roomId, '@eve:third.example'),
    typing(roomId, `@nobody:${PEER}`),
    typing(apart, BOB),
    typing('!unknown:example.org', BOB),
  ]
  await world.edus(...wrong, typing(roomId, BOB))
  await world.clock.advance(1_000)
  assert.deepEqual(await whoTypes(world), [BOB])
  await world.edus(typing(roomId, BOB, false))
  const denied = { allow: ['*'], deny: [PEER] }
  await ann.ok('PUT', `/rooms/${roomId}/state/m.room.server_acl`, denied)
  await world.edus(typing(roomId, BOB))
  await world.clock.advance(1_000)
  assert.deepEqual(await whoTypes(world), [])
  await member(world, BOB, 'leave')
  await sendEdus(server.peer('third.example'), [typing(roomId, BOB), typing(roomId, '@eve:third.example')])
  await world.clock.advance(1_000)
  assert.deepEqual(await whoTypes(world), ['@eve:third.example'])
})

test('[EDU3][EDU4] receipts of other servers are told, by thread, and never move back', async () => {
  await using world = await aWorld()
  const { clock, roomId } = world
  const first = await world.say('first')
  const second = await world.say('second')
  const reply = await world.say('reply', { 'm.relates_to': { rel_type: 'm.thread', event_id: first } })
  await world.edus(receipt(roomId, BOB, second, { ts: 5_000 }))
  assert.deepEqual(await ephemeral(world, 'm.receipt'), [{ [second]: { 'm.read': { [BOB]: { ts: 5_000 } } } }])
  await world.edus(receipt(roomId, BOB, first), receipt(roomId, BOB, second, { ts: 6_000 }))
  assert.deepEqual(await ephemeral(world, 'm.receipt'), [{ [second]: { 'm.read': { [BOB]: { ts: 5_000 } } } }])
  await world.edus(
    receipt(roomId, BOB, reply, { ts: clock.nowMs() + DAY_MS, thread_id: first }),
    receipt(roomId, BOB, second, { ts: 7, thread_id: 'main' }),
  )
  const told = await ephemeral(world, 'm.receipt')
  assert.deepEqual(told[1], { [reply]: { 'm.read': { [BOB]: { ts: clock.nowMs(), thread_id: first } } } })
  assert.deepEqual(told[2], { [second]: { 'm.read': { [BOB]: { ts: 7, thread_id: 'main' } } } })
})

test('[EDU1][EDU3] receipts that nobody may send are ignored', async () => {
  await using world = await aWorld()
  const { ann, roomId } = world
  const first = await world.say('first')
  const reply = await world.say('reply', { 'm.relates_to': { rel_type: 'm.thread', event_id: first } })
  const apart = (await ann.ok('POST', '/createRoom', { room_version: '10' })).room_id as string
  const hidden = (await ann.ok('PUT', `/rooms/${apart}/send/m.room.message/1`, { body: 'x', msgtype: 'm.text' }))
    .event_id
  const wrong = [
    receipt(roomId, ann.userId, first),
    receipt(roomId, `@nobody:${PEER}`, first),
    receipt(roomId, '@eve:third.example', first),
    receipt(roomId, BOB, hidden),
    receipt(apart, BOB, hidden),
    receipt(roomId, BOB, '$unknown'),
    receipt(roomId, BOB, first, { ts: 1 }, 'm.read.private'),
    receipt(roomId, BOB, first, { ts: 1 }, 'm.fully_read'),
    receipt(roomId, BOB, reply, { ts: 1, thread_id: 'main' }),
    receipt(roomId, BOB, reply, { ts: 1, thread_id: '$other' }),
    receipt(roomId, BOB, reply, { ts: 1, thread_id: 5 }),
  ]
  await world.edus(...wrong)
  assert.deepEqual(await ephemeral(world, 'm.receipt'), [])
})

async function presenceOf({ ann }: World, userId: string): Promise<Json> {
  return (await ann.request('GET', `/presence/${userId}/status`)).body
}

test('[EDU5] presence at another server is told to those who share a room, and ends with silence', async () => {
  await using world = await aWorld()
  const { ann, clock } = world
  const { next_batch: since } = await ann.ok('GET', '/sync')
  await world.edus(presence({ user_id: BOB, presence: 'online', last_active_ago: 5_000, status_msg: 'here\0' }))
  const { presence: told } = await ann.ok('GET', `/sync?since=${since}`)
  assert.deepEqual(
    told.events.map((event: Json) => [event.sender, event.content.presence, event.content.status_msg]),
    [[BOB, 'online', 'here\0']],
  )
  assert.equal((await presenceOf(world, BOB)).last_active_ago, 5_000)
  const { next_batch: after } = await ann.ok('GET', '/sync')
  await world.edus(presence({ user_id: BOB, presence: 'online', last_active_ago: 9, status_msg: 'here\0' }))
  assert.deepEqual((await ann.ok('GET', `/sync?since=${after}`)).presence, undefined)
  await clock.advance(20 * 60_000)
  await world.edus(presence({ user_id: BOB, presence: 'online', last_active_ago: 9, status_msg: 'here\0' }))
  await clock.advance(20 * 60_000)
  assert.equal((await presenceOf(world, BOB)).presence, 'online')
  await clock.advance(11 * 60_000)
  await until(async () => (await presenceOf(world, BOB)).presence === 'offline', 'who is silent is offline')
})

test('[EDU5] after a restart who was there at another server still is, for as long as ever', async () => {
  await using world = await aWorld()
  await world.edus(presence({ user_id: BOB, presence: 'unavailable', last_active_ago: 0 }))
  await world.server.restart()
  await world.clock.advance(29 * 60_000)
  assert.equal((await presenceOf(world, BOB)).presence, 'unavailable')
  await world.clock.advance(2 * 60_000)
  await until(async () => (await presenceOf(world, BOB)).presence === 'offline', 'who is silent is offline')
})

test('[EDU1][EDU5] presence of others than the own users, and of strangers, is ignored', async () => {
  await using world = await aWorld()
  const { ann, server } = world
  await member(world, '@eve:third.example')
  const online = (userId: unknown) => ({ user_id: userId, presence: 'online', last_active_ago: 0 })
  await world.edus(
    presence(online('@eve:third.example'), online(`@nobody:${PEER}`)),
    presence({ ...online(BOB), presence: 'toString' }, { ...online(BOB), presence: 'busy' }),
    presence(online(ann.userId)),
  )
  assert.equal((await presenceOf(world, '@eve:third.example')).presence, 'offline')
  assert.equal((await presenceOf(world, BOB)).presence, 'offline')
  assert.equal(await server.parts.dictionary.userNid(`@nobody:${PEER}` as never), undefined)
})

async function inbox({ ann }: World): Promise<readonly Json[]> {
  return (await ann.ok('GET', '/sync')).to_device?.events ?? []
}

test('[EDU6] a message to a device is delivered once, however often and whenever it comes', async () => {
  await using world = await aWorld()
  const { ann, server, clock } = world
  const edu = toDevice('m1', { [ann.userId]: { [ann.deviceId]: { hello: '\0 \ufdd0' } } })
  await Promise.all([world.edus(edu, edu), world.edus(edu)])
  await world.edus(edu)
  await server.restart()
  await world.edus(edu, toDevice('m2', { [ann.userId]: { '*': { to: 'all' } } }))
  assert.deepEqual(await inbox(world), [
    { type: 'm.test', sender: BOB, content: { hello: '\0 \ufdd0' } },
    { type: 'm.test', sender: BOB, content: { to: 'all' } },
  ])
  // Another server may have the same ids.
  const other = toDevice('m1', { [ann.userId]: { '*': { n: 3 } } }, '@eve:third.example')
  await sendEdus(server.peer('third.example'), [other])
  assert.equal((await inbox(world)).length, 3)
  await clock.advance(29 * DAY_MS)
  await forgetReceivedMessages(server.parts, new AbortController().signal)
  await world.edus(edu)
  assert.equal((await inbox(world)).length, 3)
  await clock.advance(2 * DAY_MS)
  await forgetReceivedMessages(server.parts, new AbortController().signal)
  assert.equal(await receivedCount(world), 0)
})

async function receivedCount({ server }: World): Promise<number> {
  const { sql } = await import('@holdfast/platform/database/sql')
  const [count] = await server.parts.db.column(sql`SELECT COUNT(*) AS n FROM received_to_device ORDER BY n`)
  return count!
}

test('[EDU1][EDU6][EDU7] messages to devices that nobody may send, or nobody gets, leave nothing behind', async () => {
  await using world = await aWorld()
  const { ann } = world
  const good = { [ann.userId]: { '*': { n: 1 } } }
  await world.edus(
    toDevice('a', good, ann.userId),
    toDevice('b', good, '@eve:third.example'),
    toDevice('c', { '@nobody:example.org': { '*': {} }, [BOB]: { '*': {} }, [ann.userId]: { GONE: {} } }),
    toDevice('d'.repeat(33), good),
    toDevice('e', good, BOB, ''),
    toDevice('f', good, BOB, 'x'.repeat(256)),
    toDevice('g', { [ann.userId]: { '*': { text: 'x'.repeat(65_536) } } }),
    toDevice('h', { ...good, [BOB]: { '*': 'no object' } }),
  )
  assert.deepEqual(await inbox(world), [])
  assert.equal(await receivedCount(world), 0)
  await world.edus(toDevice('𝒳'.repeat(32), good))
  assert.equal((await inbox(world)).length, 1)
})

test('[EDU1] an EDU of any form harms neither its neighbours nor the server', async () => {
  await using world = await aWorld()
  const { ann, roomId } = world
  const eventId = await world.say('hello')
  const edus: { type: string; content: unknown }[] = []
  for (const wrong of WRONG) {
    for (const type of ['m.typing', 'm.receipt', 'm.presence', 'm.direct_to_device'])
      edus.push({ type, content: wrong })
    for (const type of ['m.device_list_update', 'm.signing_key_update', 'm.unknown'])
      edus.push({ type, content: wrong })
    edus.push(typing(wrong as string, BOB), typing(roomId, wrong), typing(roomId, BOB, wrong))
    edus.push(receipt(roomId, BOB, wrong), receipt(roomId, BOB, '$x', wrong), receipt(String(wrong), BOB, eventId))
    edus.push(receipt(roomId, String(wrong), eventId), receipt(roomId, BOB, eventId, { thread_id: wrong, ts: 1 }))
    edus.push({ type: 'm.receipt', content: { [roomId]: wrong } })
    edus.push({ type: 'm.receipt', content: { [roomId]: { 'm.read': wrong } } })
    edus.push({ type: 'm.receipt', content: { [roomId]: { 'm.read': { [BOB]: wrong } } } })
    edus.push({ type: 'm.presence', content: { push: wrong } }, { type: 'm.presence', content: { push: [wrong] } })
    edus.push(presence({ user_id: wrong, presence: 'online' }), presence({ user_id: BOB, presence: wrong }))
    edus.push(toDevice(wrong, wrong), toDevice('m', wrong), toDevice('m', { [ann.userId]: wrong }))
    edus.push(toDevice('m', { [ann.userId]: { '*': wrong } }, wrong), toDevice('m', {}, BOB, wrong))
    const update = { user_id: BOB, device_id: 'D', stream_id: 1, prev_id: [], keys: {} }
    for (const key of Object.keys(update)) {
      edus.push({ type: 'm.device_list_update', content: { ...update, [key]: wrong } })
    }
    edus.push({ type: 'm.signing_key_update', content: { user_id: BOB, master_key: wrong, self_signing_key: wrong } })
  }
  for (let from = 0; from < edus.length; from += 99)
    await world.edus(...edus.slice(from, from + 99), typing(roomId, BOB))
  await world.clock.advance(1_000)
  assert.deepEqual(await whoTypes(world), [BOB])
  assert.deepEqual(await inbox(world), [])
  for (const content of await ephemeral(world, 'm.receipt')) assert.deepEqual(Object.keys(content), [eventId])
})
