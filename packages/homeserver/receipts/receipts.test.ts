import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createManualClock } from '@holdfast/platform/clock/manual-clock'
import { pauseMs } from '../sync/pace.ts'
import { untilSomebodyWaits } from '../testing/until.ts'
import { startTestHomeserver, type TestHomeserver, type TestUser, type TestResponse } from '../testing/homeserver.ts'

/** A test looks where it expects something. */
type Json = TestResponse['body']

let server: TestHomeserver
before(async () => {
  server = await startTestHomeserver()
})
after(() => server[Symbol.asyncDispose]())

let names = 0

type Room = { readonly id: string; readonly path: string; readonly ann: TestUser; readonly bob: TestUser }

/** Two users in a room of their own. */
async function aRoom(on = server): Promise<Room> {
  names += 1
  const ann = await on.user(`ann${names}`)
  const bob = await on.user(`bob${names}`)
  const { room_id: id } = await ann.ok('POST', '/createRoom', { preset: 'public_chat' })
  const path = `/rooms/${encodeURIComponent(id)}`
  await bob.ok('POST', `${path}/join`, {})
  return { id, path, ann, bob }
}

let transactions = 0

async function say(room: Room, content: object = {}): Promise<string> {
  transactions += 1
  const body = { msgtype: 'm.text', body: 'hello', ...content }
  const sent = await room.ann.ok('PUT', `${room.path}/send/m.room.message/t${transactions}`, body)
  return sent.event_id
}

function receiptPath(room: Room, type: string, eventId: string): string {
  return `${room.path}/receipt/${type}/${encodeURIComponent(eventId)}`
}

/** The receipts of a sync, as one list of contents. */
async function receiptsOf(room: Room, user: TestUser, query = ''): Promise<Record<string, Json>[]> {
  const answer = await user.ok('GET', `/sync${query}`)
  const events = answer.rooms?.join?.[room.id]?.ephemeral.events ?? []
  return events.filter((event: Json) => event.type === 'm.receipt').map((event: Json) => event.content)
}

test('a receipt is told to everybody in the room, with the time', async () => {
  const room = await aRoom()
  const event = await say(room)
  const { next_batch: since } = await room.ann.ok('GET', '/sync')
  assert.deepEqual(await room.bob.ok('POST', receiptPath(room, 'm.read', event), {}), {})
  const [content] = await receiptsOf(room, room.ann, `?since=${since}`)
  assert.deepEqual(Object.keys(content!), [event])
  assert.equal(typeof content![event]['m.read'][room.bob.userId].ts, 'number')
  assert.deepEqual(await receiptsOf(room, room.bob), [content])
})

test('a receipt wakes those who wait', async () => {
  const room = await aRoom()
  const event = await say(room)
  const { next_batch: since } = await room.ann.ok('GET', '/sync')
  const waiting = receiptsOf(room, room.ann, `?since=${since}&timeout=10000`)
  await room.bob.ok('POST', receiptPath(room, 'm.read', event), {})
  assert.equal((await waiting).length, 1)
})

test('[REC8] in a large room receipts wake the others together and later, and are told to who comes before', async () => {
  // The clock stands still: on a busy machine the receipts take longer than the others wait.
  const clock = createManualClock({ nowMs: Date.now() })
  await using server = await startTestHomeserver({ clock })
  const room = await aRoom(server)
  const others = await Promise.all(Array.from({ length: 20 }, (_, n) => server.user(`crowd${n}`)))
  for (const other of others) await other.ok('POST', `${room.path}/join`, {})
  const event = await say(room)
  const { next_batch: since } = await room.ann.ok('GET', '/sync?set_presence=offline')
  let isWoken = false
  const waiting = receiptsOf(room, room.ann, `?since=${since}&timeout=10000&set_presence=offline`)
  void waiting.then(() => (isWoken = true))
  await untilSomebodyWaits(server)
  const readers = [room.bob, ...others.slice(0, 5)]
  for (const reader of readers) await reader.ok('POST', receiptPath(room, 'm.read', event), {})
  assert.equal(Object.keys((await receiptsOf(room, others[9]!))[0]![event]['m.read']).length, readers.length)
  assert.equal(isWoken, false)
  await clock.advance(pauseMs(others.length + 2))
  assert.equal(Object.keys((await waiting)[0]![event]['m.read']).length, readers.length)
})

test('[REC1] a receipt never moves back, and one that stands still is not told again', async () => {
  const room = await aRoom()
  const first = await say(room)
  const second = await say(room)
  await room.bob.ok('POST', receiptPath(room, 'm.read', second), {})
  const { next_batch: since } = await room.ann.ok('GET', '/sync')
  await room.bob.ok('POST', receiptPath(room, 'm.read', first), {})
  await room.bob.ok('POST', receiptPath(room, 'm.read', second), {})
  assert.deepEqual(await receiptsOf(room, room.ann, `?since=${since}`), [])
  const [content] = await receiptsOf(room, room.ann)
  assert.deepEqual(Object.keys(content!), [second])
})

test('[REC2] a receipt for an event of another room, for none, or for one that is hidden is refused', async () => {
  const room = await aRoom()
  const other = await aRoom()
  const elsewhere = await say(other)
  for (const eventId of [elsewhere, '$nothing', '$bm90aGluZw']) {
    const refused = await room.bob.request('POST', receiptPath(room, 'm.read', eventId), {})
    assert.deepEqual([refused.status, refused.body.errcode], [404, 'M_NOT_FOUND'])
  }
  await room.ann.ok('PUT', `${room.path}/state/m.room.history_visibility`, { history_visibility: 'joined' })
  const hidden = await say(room)
  const late = await server.user(`late${names}`)
  await late.ok('POST', `${room.path}/join`, {})
  assert.equal((await late.request('POST', receiptPath(room, 'm.read', hidden), {})).status, 404)
})

test('who is not in the room, or has left it, cannot post receipts nor see them', async () => {
  const room = await aRoom()
  const event = await say(room)
  const eve = await server.user(`eve${names}`)
  assert.equal((await eve.request('POST', receiptPath(room, 'm.read', event), {})).body.errcode, 'M_FORBIDDEN')
  const nowhere = { ...room, path: '/rooms/!nowhere:example.org' }
  assert.equal((await eve.request('POST', receiptPath(nowhere, 'm.read', event), {})).body.errcode, 'M_FORBIDDEN')

  const { next_batch: since } = await room.bob.ok('GET', '/sync')
  await room.bob.ok('POST', `${room.path}/leave`, {})
  assert.equal((await room.bob.request('POST', receiptPath(room, 'm.read', event), {})).status, 403)
  await room.ann.ok('POST', receiptPath(room, 'm.read', event), {})
  await room.ann.ok('PUT', `${room.path}/typing/${room.ann.userId}`, { typing: true })
  const answer = await room.bob.ok('GET', `/sync?since=${since}`)
  assert.equal(answer.rooms.leave[room.id].ephemeral, undefined)
  assert.doesNotMatch(JSON.stringify(answer.rooms), /m\.receipt|m\.typing/)
})

test('[REC4] a private receipt is shown to its owner only, also in an initial sync', async () => {
  const room = await aRoom()
  const event = await say(room)
  const ann = await room.ann.ok('GET', '/sync')
  const bob = await room.bob.ok('GET', '/sync')
  await room.bob.ok('POST', receiptPath(room, 'm.read.private', event), {})
  assert.equal((await room.ann.ok('GET', `/sync?since=${ann.next_batch}&timeout=1`)).rooms, undefined)
  assert.deepEqual(await receiptsOf(room, room.ann), [])
  const [content] = await receiptsOf(room, room.bob, `?since=${bob.next_batch}`)
  assert.ok(content![event]['m.read.private'][room.bob.userId])
  assert.equal((await receiptsOf(room, room.bob)).length, 1)
})

test('a public receipt may stand behind the private one', async () => {
  const room = await aRoom()
  const first = await say(room)
  const second = await say(room)
  await room.bob.ok('POST', receiptPath(room, 'm.read.private', second), {})
  await room.bob.ok('POST', receiptPath(room, 'm.read', first), {})
  const [content] = await receiptsOf(room, room.ann)
  assert.deepEqual(Object.keys(content!), [first])
})

test('[REC6] receipts of threads stand beside those of none', async () => {
  const room = await aRoom()
  const root = await say(room)
  const relation = { 'm.relates_to': { rel_type: 'm.thread', event_id: root } }
  const reply = await say(room, relation)
  const { next_batch: since } = await room.ann.ok('GET', '/sync')
  await room.bob.ok('POST', receiptPath(room, 'm.read', reply), { thread_id: root })
  await room.bob.ok('POST', receiptPath(room, 'm.read', reply), {})
  await room.bob.ok('POST', receiptPath(room, 'm.read', root), { thread_id: 'main' })
  const contents = await receiptsOf(room, room.ann, `?since=${since}`)
  const threads = contents.flatMap((content) =>
    Object.entries(content).map(([id, types]) => `${id} ${String(types['m.read'][room.bob.userId].thread_id)}`),
  )
  assert.deepEqual(new Set(threads), new Set([`${reply} ${root}`, `${reply} undefined`, `${root} main`]))
  assert.equal(threads.length, 3)
})

test('a receipt of a thread is refused for events that are not of it', async () => {
  const room = await aRoom()
  const root = await say(room)
  const inThread = await say(room, { 'm.relates_to': { rel_type: 'm.thread', event_id: root } })
  const apart = await say(room)
  const wrong: [event: string, type: string, thread: unknown][] = [
    [inThread, 'm.read', 'main'],
    [inThread, 'm.read', apart],
    [apart, 'm.read', root],
    [apart, 'm.read', '$unknown'],
    [apart, 'm.read', ''],
    [apart, 'm.read', 'other'],
    [apart, 'm.read.private', 'a\u0000b'],
    [root, 'm.fully_read', 'main'],
  ]
  for (const [event, type, thread] of wrong) {
    const refused = await room.bob.request('POST', receiptPath(room, type, event), { thread_id: thread })
    assert.deepEqual([refused.status, refused.body.errcode], [400, 'M_INVALID_PARAM'], `${type} ${String(thread)}`)
  }
  for (const thread of [7, null, {}, ['main']]) {
    const refused = await room.bob.request('POST', receiptPath(room, 'm.read', apart), { thread_id: thread })
    assert.deepEqual([refused.status, refused.body.errcode], [400, 'M_INVALID_PARAM'])
  }
  assert.deepEqual(await receiptsOf(room, room.ann), [])
})

test('[REC5] the root of a thread and what relates to it may be read with the thread', async () => {
  const room = await aRoom()
  const root = await say(room)
  const edit = await say(room, { 'm.relates_to': { rel_type: 'm.replace', event_id: root } })
  const inThread = await say(room, { 'm.relates_to': { rel_type: 'm.thread', event_id: root } })
  const reaction = await say(room, { 'm.relates_to': { rel_type: 'm.annotation', event_id: inThread, key: 'x' } })
  for (const event of [root, edit, inThread, reaction]) {
    await room.bob.ok('POST', receiptPath(room, 'm.read', event), { thread_id: root })
  }
  const [content] = await receiptsOf(room, room.ann)
  assert.deepEqual(Object.keys(content!), [reaction])
})

test('relations in a circle or in a wrong form end', async () => {
  const room = await aRoom()
  let event = await say(room)
  for (let hop = 0; hop < 6; hop += 1) {
    event = await say(room, { 'm.relates_to': { rel_type: 'm.reference', event_id: event } })
  }
  await room.bob.ok('POST', receiptPath(room, 'm.read', event), { thread_id: 'main' })
  for (const relation of [
    [],
    'x',
    { event_id: 7 },
    { rel_type: 'm.thread' },
    { rel_type: 'm.thread', event_id: 'x' },
  ]) {
    const odd = await say(room, { 'm.relates_to': relation })
    await room.bob.ok('POST', receiptPath(room, 'm.read', odd), { thread_id: 'main' })
  }
})

test('[REC3] read markers are set at once: the fully-read marker as room account data, and the receipts', async () => {
  const room = await aRoom()
  const first = await say(room)
  const second = await say(room)
  const { next_batch: since } = await room.bob.ok('GET', '/sync')
  const body = { 'm.fully_read': first, 'm.read': second, 'm.read.private': second }
  assert.deepEqual(await room.bob.ok('POST', `${room.path}/read_markers`, body), {})
  const answer = await room.bob.ok('GET', `/sync?since=${since}`)
  const joined = answer.rooms.join[room.id]
  assert.deepEqual(joined.account_data.events, [{ type: 'm.fully_read', content: { event_id: first } }])
  assert.deepEqual(Object.keys(joined.ephemeral.events[0].content[second]).toSorted(), ['m.read', 'm.read.private'])
  assert.deepEqual((await receiptsOf(room, room.ann))[0]![second]['m.read.private'], undefined)

  const refused = await room.bob.request('POST', `${room.path}/read_markers`, {
    'm.fully_read': second,
    'm.read': '$unknown',
  })
  assert.equal(refused.status, 404)
  const path = `/user/${room.bob.userId}${room.path}/account_data/m.fully_read`
  assert.deepEqual(await room.bob.ok('GET', path), { event_id: first })
})

test('[REC1] the fully-read marker never moves back, by either endpoint, and cannot be set as account data', async () => {
  const room = await aRoom()
  const first = await say(room)
  const second = await say(room)
  await room.bob.ok('POST', receiptPath(room, 'm.fully_read', second), {})
  await room.bob.ok('POST', receiptPath(room, 'm.fully_read', first), {})
  await room.bob.ok('POST', `${room.path}/read_markers`, { 'm.fully_read': first })
  const path = `/user/${room.bob.userId}${room.path}/account_data/m.fully_read`
  assert.deepEqual(await room.bob.ok('GET', path), { event_id: second })
  assert.equal((await room.bob.request('PUT', path, { event_id: first })).status, 405)
  const [account] = (await room.bob.ok('GET', '/sync')).rooms.join[room.id].account_data.events
  assert.deepEqual(account, { type: 'm.fully_read', content: { event_id: second } })
})

test('receipts that move at the same moment end with the newest', async () => {
  const room = await aRoom()
  const events: string[] = []
  for (let index = 0; index < 12; index += 1) events.push(await say(room))
  await Promise.all(
    events.map((event) => room.bob.ok('POST', `${room.path}/read_markers`, { 'm.read': event, 'm.fully_read': event })),
  )
  const [content] = await receiptsOf(room, room.ann)
  assert.deepEqual(Object.keys(content!), [events.at(-1)])
})

test('wrong types of receipts and malformed bodies are refused', async () => {
  const room = await aRoom()
  const event = await say(room)
  assert.equal((await room.bob.request('POST', receiptPath(room, 'not.m.read', event), {})).status, 400)
  assert.equal((await room.bob.request('POST', receiptPath(room, '__proto__', event), {})).status, 400)
  for (const body of ['{', '[]', '{"m.read":7}', '{"m.read":"nothing"}', '{"m.fully_read":"\\u0000"}']) {
    assert.equal((await room.bob.request('POST', `${room.path}/read_markers`, body)).status, 400, body)
  }
  assert.deepEqual(await room.bob.ok('POST', `${room.path}/read_markers`, {}), {})
})

test('[REC7] filters and ignored users are respected', async () => {
  const room = await aRoom()
  const event = await say(room)
  await room.bob.ok('POST', receiptPath(room, 'm.read', event), {})
  for (const ephemeral of [{ types: ['m.typing'] }, { types: [] }, { not_rooms: [room.id] }, { limit: 0 }]) {
    const filter = encodeURIComponent(JSON.stringify({ room: { ephemeral } }))
    assert.deepEqual(await receiptsOf(room, room.ann, `?filter=${filter}`), [])
  }
  const ignored = { ignored_users: { [room.bob.userId]: {} } }
  await room.ann.ok('PUT', `/user/${room.ann.userId}/account_data/m.ignored_user_list`, ignored)
  assert.deepEqual(await receiptsOf(room, room.ann), [])
})

test('receipts outlive a restart', async () => {
  const room = await aRoom()
  const event = await say(room)
  const { next_batch: since } = await room.ann.ok('GET', '/sync')
  await room.bob.ok('POST', receiptPath(room, 'm.read', event), {})
  await server.restart()
  assert.equal((await receiptsOf(room, room.ann, `?since=${since}`)).length, 1)
  assert.equal((await receiptsOf(room, room.ann)).length, 1)
})
