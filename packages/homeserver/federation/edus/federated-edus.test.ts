import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { UserId } from '@holdfast/protocol/ids/brand'
import { deviceKeysOf, oneTimeKeysOf, plain } from '../../e2e-keys/testing/device.ts'
import { markRemoteListStale } from '../../e2e-keys/remote-devices.ts'
import { remoteLists } from '../../storage/remote-devices.ts'
import type { TestUser } from '../../testing/homeserver.ts'
import { startFederatedHomeservers, type Federation } from '../../testing/two-homeservers.ts'
import { until } from '../../testing/until.ts'

const A = 'a.example'
const B = 'b.example'

// oxlint-disable-next-line typescript/no-explicit-any -- a test looks where it expects something
type Json = any

type World = Federation & {
  readonly ann: TestUser
  readonly bob: TestUser
  readonly roomId: string
  readonly path: string
}

/** Ann of one server and bob of another are in a room. */
async function aWorld(t: TestContext): Promise<World> {
  const federation = await startFederatedHomeservers([A, B])
  t.after(() => federation[Symbol.asyncDispose]())
  const [a, b] = federation.servers
  const [ann, bob] = [await a!.user('ann'), await b!.user('bob')]
  const { room_id: roomId } = await ann.ok('POST', '/createRoom', { preset: 'public_chat', room_version: '11' })
  await bob.ok('POST', `/join/${encodeURIComponent(roomId)}?server_name=${A}`, {})
  const path = `/rooms/${encodeURIComponent(roomId)}`
  await until(async () => {
    const { body } = await ann.request('GET', `${path}/joined_members`)
    return body.joined?.[bob.userId] !== undefined
  }, 'ann sees bob')
  return { ...federation, ann, bob, roomId, path }
}

async function ephemeral(user: TestUser, roomId: string, type: string): Promise<readonly Json[]> {
  const answer = await user.ok('GET', '/sync')
  const events = answer.rooms.join[roomId].ephemeral.events as readonly Json[]
  return events.filter((event) => event.type === type).map(({ content }) => content)
}

async function say(user: TestUser, path: string, body: string): Promise<string> {
  return (await user.ok('PUT', `${path}/send/m.room.message/${body}`, { msgtype: 'm.text', body })).event_id
}

async function untilHas(user: TestUser, path: string, eventId: string): Promise<void> {
  await until(async () => (await user.request('GET', `${path}/event/${eventId}`)).status === 200, `${eventId} is there`)
}

test('[EDU10] typing is told to the other servers of the room, and its end, and its end by itself', async (t) => {
  const { ann, bob, roomId, path } = await aWorld(t)
  const types = async (): Promise<readonly string[]> => (await ephemeral(bob, roomId, 'm.typing'))[0]?.user_ids ?? []
  const typing = (body: object) => ann.ok('PUT', `${path}/typing/${ann.userId}`, body)
  await typing({ typing: true, timeout: 30_000 })
  await until(async () => (await types()).includes(ann.userId), 'bob sees ann type')
  await typing({ typing: false })
  await until(async () => (await types()).length === 0, 'bob sees ann stop')
  // Long enough to be seen on a busy machine.
  await typing({ typing: true, timeout: 3_000 })
  await until(async () => (await types()).includes(ann.userId), 'bob sees ann type again')
  await until(async () => (await types()).length === 0, 'bob sees that it has ended by itself')
})

test('[EDU11] public receipts are told, together and by thread; private ones and read markers are not', async (t) => {
  const { ann, bob, roomId, path } = await aWorld(t)
  const first = await say(bob, path, 'first')
  const second = await say(bob, path, 'second')
  await untilHas(ann, path, second)
  await ann.ok('POST', `${path}/receipt/m.read.private/${second}`, {})
  await ann.ok('POST', `${path}/read_markers`, { 'm.fully_read': second })
  await ann.ok('POST', `${path}/receipt/m.read/${first}`, {})
  await ann.ok('POST', `${path}/receipt/m.read/${second}`, { thread_id: 'main' })
  await until(async () => (await ephemeral(bob, roomId, 'm.receipt')).length === 2, 'bob sees both receipts')
  const told = await ephemeral(bob, roomId, 'm.receipt')
  const of = (eventId: string) => told.find((content) => content[eventId] !== undefined)?.[eventId]
  assert.deepEqual(Object.keys(of(first)), ['m.read'])
  assert.equal(of(first)['m.read'][ann.userId].thread_id, undefined)
  assert.deepEqual(Object.keys(of(second)), ['m.read'])
  assert.equal(of(second)['m.read'][ann.userId].thread_id, 'main')
})

test('[EDU12] presence is told to servers that share a room, and to those that come to share one', async (t) => {
  const federation = await startFederatedHomeservers([A, B])
  t.after(() => federation[Symbol.asyncDispose]())
  const [a, b] = federation.servers
  const [ann, bob] = [await a!.user('ann'), await b!.user('bob')]
  const { room_id: roomId } = await ann.ok('POST', '/createRoom', { preset: 'public_chat' })
  await ann.ok('PUT', `/presence/${ann.userId}/status`, { presence: 'online', status_msg: 'before' })
  await bob.ok('PUT', `/presence/${bob.userId}/status`, { presence: 'unavailable', status_msg: 'there' })
  const seen = async (viewer: TestUser, other: TestUser): Promise<Json> =>
    (await viewer.request('GET', `/presence/${other.userId}/status`)).body
  assert.equal((await seen(bob, ann)).errcode, 'M_FORBIDDEN')
  const transactions = federation.exchanges.filter(({ target }) => target.includes('/v1/send/'))
  assert.deepEqual(transactions, [])
  await bob.ok('POST', `/join/${encodeURIComponent(roomId)}?server_name=${A}`, {})
  await until(async () => (await seen(bob, ann)).status_msg === 'before', 'bob sees how ann is')
  await until(async () => (await seen(ann, bob)).status_msg === 'there', 'ann sees how bob is')
  // Who says nothing for half a minute is offline, and the machine may have been that busy.
  await bob.ok('PUT', `/presence/${bob.userId}/status`, { presence: 'unavailable', status_msg: 'there' })
  await until(async () => (await seen(ann, bob)).presence === 'unavailable', 'ann sees that bob is away')
  await ann.ok('PUT', `/presence/${ann.userId}/status`, { presence: 'offline', status_msg: 'after' })
  await until(async () => (await seen(bob, ann)).status_msg === 'after', 'bob sees that ann is gone')
  assert.equal((await seen(bob, ann)).presence, 'offline')
})

async function inbox(user: TestUser): Promise<readonly Json[]> {
  return (await user.ok('GET', '/sync')).to_device?.events ?? []
}

test('[EDU13] messages to devices reach other servers in their order, also after those were away', async (t) => {
  const { ann, bob, cutOff, servers } = await aWorld(t)
  const send = (id: string, messages: object) => ann.ok('PUT', `/sendToDevice/m.test/${id}`, { messages })
  await send('one', { [bob.userId]: { '*': { n: 1 } }, [ann.userId]: { [ann.deviceId]: { n: 0 } } })
  await send('one', { [bob.userId]: { '*': { n: 1 } } })
  await until(async () => (await inbox(bob)).length === 1, 'bob gets the first')
  assert.deepEqual(
    (await inbox(ann)).map(({ content }) => content),
    [{ n: 0 }],
  )
  cutOff(B, true)
  for (const n of [2, 3, 4]) await send(`n${n}`, { [bob.userId]: { [bob.deviceId]: { n, text: 'x'.repeat(30_000) } } })
  await servers[0]!.restart()
  cutOff(B, false)
  servers[0]!.parts.federation.destinations.heardFrom(B as never)
  await until(async () => (await inbox(bob)).length === 4, 'bob gets the rest')
  const got = await inbox(bob)
  assert.deepEqual(
    got.map(({ sender, content }) => [sender, content.n]),
    [1, 2, 3, 4].map((n) => [ann.userId, n]),
  )
})

test('[EDU13] what is large goes in several EDUs, and what is for the whole internet nowhere', async (t) => {
  const { ann, bob } = await aWorld(t)
  const text = 'x'.repeat(40_000)
  const others = Object.fromEntries([1, 2, 3].map((n) => [`@u${n}:${B}`, { '*': { text } }]))
  const messages = { ...others, [bob.userId]: { [bob.deviceId]: { text } } }
  await ann.ok('PUT', '/sendToDevice/m.test/large', { messages })
  await until(async () => (await inbox(bob)).length === 1, 'bob gets his')
  const many = Object.fromEntries(Array.from({ length: 501 }, (_, n) => [`@u:s${n}.example`, { '*': {} }]))
  const refused = await ann.request('PUT', '/sendToDevice/m.test/many', { messages: many })
  assert.deepEqual([refused.status, refused.body.errcode], [413, 'M_TOO_LARGE'])
})

test('keys of users of another server are asked for, kept, claimed, and follow what changes there', async (t) => {
  const { ann, bob, exchanges, servers } = await aWorld(t)
  const { keys } = deviceKeysOf(bob)
  await bob.ok('POST', '/keys/upload', { device_keys: keys, one_time_keys: oneTimeKeysOf(bob, ['a', 'b']) })
  const query = async (): Promise<Json> =>
    plain(await ann.ok('POST', '/keys/query', { device_keys: { [bob.userId]: [] } }))
  const devices = async (): Promise<readonly string[]> => Object.keys((await query()).device_keys[bob.userId] ?? {})
  await until(async () => (await devices()).includes(bob.deviceId), 'ann gets the keys of bob')
  const { device_keys: told, failures } = await query()
  assert.deepEqual(told[bob.userId][bob.deviceId].keys, plain(keys['keys']))
  assert.deepEqual(failures, {})
  const asked = () => exchanges.filter(({ from, target }) => from === A && target.includes('/user/')).length
  const before = asked()
  await query()
  assert.equal(asked(), before)
  const claim = { one_time_keys: { [bob.userId]: { [bob.deviceId]: 'signed_curve25519' } } }
  const claimed = [await ann.ok('POST', '/keys/claim', claim), await ann.ok('POST', '/keys/claim', claim)]
  const names = claimed.map(({ one_time_keys: given }) => Object.keys(given[bob.userId][bob.deviceId]))
  assert.deepEqual(names, [['signed_curve25519:a'], ['signed_curve25519:b']])
  const { next_batch: since } = await ann.ok('GET', '/sync')
  const second = await servers[1]!.ok('POST', '/login', {
    body: { type: 'm.login.password', identifier: { type: 'm.id.user', user: 'bob' }, password: 'secret-bob' },
  })
  const device = { userId: bob.userId, deviceId: second.device_id as string }
  const upload = { token: second.access_token as string, body: { device_keys: deviceKeysOf(device).keys } }
  await servers[1]!.ok('POST', '/keys/upload', upload)
  await until(async () => {
    const { device_lists: lists } = await ann.ok('GET', `/sync?since=${since}`)
    return lists?.changed?.includes(bob.userId) ?? false
  }, 'ann is told of the new device')
  await until(async () => (await devices()).includes(device.deviceId), 'ann gets its keys')
})

test('keys of a server that cannot be reached are failures, soon', async (t) => {
  const { ann, bob, cutOff, servers } = await aWorld(t)
  const { parts } = servers[0]!
  const bobNid = (await parts.dictionary.userNid(bob.userId as UserId))!
  // An update that comes right after an answer makes the list stale, and nothing fetches it before somebody asks again.
  await until(async () => {
    await ann.ok('POST', '/keys/query', { device_keys: { [bob.userId]: [] } })
    return (await remoteLists(parts.db, [bobNid])).some((list) => list.is_stale === 0)
  }, 'they are here')
  cutOff(B, true)
  await markRemoteListStale(parts, bob.userId as UserId)
  const body = { timeout: 2_000, device_keys: { [bob.userId]: [], '@eve:nowhere.example': [] } }
  const answer = await ann.ok('POST', '/keys/query', body)
  assert.deepEqual(Object.keys(answer.failures).sort(), [B, 'nowhere.example'])
  const claim = { timeout: 2_000, one_time_keys: { [bob.userId]: { [bob.deviceId]: 'signed_curve25519' } } }
  assert.deepEqual(Object.keys((await ann.ok('POST', '/keys/claim', claim)).failures), [B])
})
