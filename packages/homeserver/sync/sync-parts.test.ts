import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startTestHomeserver, type TestHomeserver, type TestUser, type TestResponse } from '../testing/homeserver.ts'

/** A test looks where it expects something. */
type Json = TestResponse['body']

let server: TestHomeserver
before(async () => {
  server = await startTestHomeserver({ settings: { presence: false } })
})
after(() => server[Symbol.asyncDispose]())

let names = 0

async function aUser(): Promise<TestUser> {
  names += 1
  return server.user(`u${names}`)
}

async function aRoomOf(user: TestUser): Promise<{ readonly id: string; readonly path: string }> {
  const { room_id: id } = await user.ok('POST', '/createRoom', { preset: 'public_chat' })
  return { id, path: `/rooms/${encodeURIComponent(id)}` }
}

function types(events: readonly { readonly type: string }[] | undefined): readonly string[] {
  return (events ?? []).map((event) => event.type).toSorted()
}

/** The members of an answer without news. */
const QUIET = ['next_batch', 'device_one_time_keys_count', 'device_unused_fallback_key_types']

test('an initial sync has the whole account data with the push rules, a later one what changed', async () => {
  const ann = await aUser()
  const path = `/user/${ann.userId}/account_data`
  await ann.ok('PUT', `${path}/my.first`, { n: 1 })
  const first = await ann.ok('GET', '/sync')
  assert.deepEqual(types(first.account_data.events), ['m.push_rules', 'my.first'])
  const rules = first.account_data.events.find((event: Json) => event.type === 'm.push_rules')
  assert.deepEqual(rules.content, await ann.ok('GET', '/pushrules/'))
  await ann.ok('PUT', `${path}/my.second`, { n: 2 })
  const next = await ann.ok('GET', `/sync?since=${first.next_batch}`)
  assert.deepEqual(next.account_data, { events: [{ type: 'my.second', content: { n: 2 } }] })
  assert.deepEqual(Object.keys(await ann.ok('GET', `/sync?since=${next.next_batch}`)), QUIET)
})

test('account data of a room comes with the room: whole at first, then what changed, and it wakes', async () => {
  const ann = await aUser()
  const room = await aRoomOf(ann)
  const path = `/user/${ann.userId}${room.path}`
  await ann.ok('PUT', `${path}/account_data/my.first`, { n: 1 })
  const first = await ann.ok('GET', '/sync')
  assert.deepEqual(types(first.rooms.join[room.id].account_data.events), ['my.first'])
  const waiting = ann.ok('GET', `/sync?since=${first.next_batch}&timeout=10000`)
  await ann.ok('PUT', `${path}/tags/m.favourite`, { order: 0.5 })
  const next = await waiting
  assert.deepEqual(next.rooms.join[room.id].account_data.events, [
    { type: 'm.tag', content: { tags: { 'm.favourite': { order: 0.5 } } } },
  ])
  assert.equal(next.account_data, undefined)
})

test('a room that is new to the client has all its account data', async () => {
  const ann = await aUser()
  const bob = await aUser()
  const room = await aRoomOf(ann)
  await bob.ok('POST', `${room.path}/join`, {})
  await bob.ok('PUT', `/user/${bob.userId}${room.path}/account_data/my.note`, { n: 1 })
  await bob.ok('POST', `${room.path}/leave`, {})
  const { next_batch: since } = await bob.ok('GET', '/sync')
  await bob.ok('POST', `${room.path}/join`, {})
  const next = await bob.ok('GET', `/sync?since=${since}`)
  assert.deepEqual(next.rooms.join[room.id].account_data.events, [{ type: 'my.note', content: { n: 1 } }])
})

test('nobody sees the account data of another, and it makes no room look changed to them', async () => {
  const ann = await aUser()
  const bob = await aUser()
  const room = await aRoomOf(ann)
  await bob.ok('POST', `${room.path}/join`, {})
  const { next_batch: since } = await bob.ok('GET', '/sync')
  await ann.ok('PUT', `/user/${ann.userId}${room.path}/account_data/my.secret`, { n: 1 })
  await ann.ok('PUT', `/user/${ann.userId}/account_data/my.secret`, { n: 1 })
  const next = await bob.ok('GET', `/sync?since=${since}&timeout=50`)
  assert.deepEqual(Object.keys(next), QUIET)
  assert.doesNotMatch(JSON.stringify(await bob.ok('GET', '/sync')), /my\.secret/)
})

test('filters choose among account data, and what remains empty is left out', async () => {
  const ann = await aUser()
  const room = await aRoomOf(ann)
  await ann.ok('PUT', `/user/${ann.userId}/account_data/my.first`, { n: 1 })
  await ann.ok('PUT', `/user/${ann.userId}${room.path}/account_data/my.url`, { url: 'mxc://a/b' })
  await ann.ok('PUT', `/user/${ann.userId}${room.path}/account_data/my.plain`, {})
  const sync = (filter: object): Promise<Json> =>
    ann.ok('GET', `/sync?filter=${encodeURIComponent(JSON.stringify(filter))}`)
  assert.deepEqual(types((await sync({ account_data: { types: ['my.*'] } })).account_data.events), ['my.first'])
  assert.equal((await sync({ account_data: { types: [] } })).account_data, undefined)
  assert.equal((await sync({ account_data: { not_types: ['*'] } })).account_data, undefined)
  const withUrl = await sync({ room: { account_data: { contains_url: true } } })
  assert.deepEqual(types(withUrl.rooms.join[room.id].account_data.events), ['my.url'])
  const none = await sync({ room: { account_data: { not_rooms: [room.id] } } })
  assert.deepEqual(none.rooms.join[room.id].account_data.events, [])
})

test('account data from before a restart is told to who has not had it', async () => {
  const ann = await aUser()
  const room = await aRoomOf(ann)
  const { next_batch: since } = await ann.ok('GET', '/sync')
  await ann.ok('PUT', `/user/${ann.userId}/account_data/my.first`, { n: 1 })
  await ann.ok('PUT', `/user/${ann.userId}${room.path}/account_data/my.room`, { n: 2 })
  await server.restart()
  const next = await ann.ok('GET', `/sync?since=${since}`)
  assert.deepEqual(types(next.account_data.events), ['my.first'])
  assert.deepEqual(types(next.rooms.join[room.id].account_data.events), ['my.room'])
})

test('the snapshot of clients from before /sync has the account data, without the push rules', async () => {
  const ann = await aUser()
  await ann.ok('PUT', `/user/${ann.userId}/account_data/my.first`, { n: 1 })
  assert.deepEqual(types((await ann.ok('GET', '/initialSync')).account_data), ['my.first'])
})
