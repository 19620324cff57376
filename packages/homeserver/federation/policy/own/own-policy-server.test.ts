import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { DEFAULT_RATE_LIMITS } from '@holdfast/platform/config/rate-limits'
import { parsePdu } from '@holdfast/protocol/event/format'
import type { RoomId } from '@holdfast/protocol/ids/brand'
import type { JsonObject } from '@holdfast/protocol/json/value'
import { rulesFor } from '@holdfast/protocol/room-version/rules'
import { signatureHolds } from '@holdfast/protocol/signing/sign-json'
import { parseVerifyKey } from '@holdfast/protocol/signing/verify-key'
import { finish, part, template } from '../../../rooms/admit/testing/peer-events.ts'
import { startTestHomeserver, type TestHomeserver, type TestPeer } from '../../../testing/homeserver.ts'
import { startFederatedHomeservers } from '../../../testing/two-homeservers.ts'
import { until } from '../../../testing/until.ts'

const PEER = 'peer.example:8448'
const BOB = `@bob:${PEER}`
const VERSION = '11'
const SIGN = '/_matrix/policy/v1/sign'

type Policed = {
  readonly server: TestHomeserver
  readonly peer: TestPeer
  readonly roomId: string
  readonly key: string
  /** An event of Bob's in the room, signed by his server. */
  readonly event: (changes?: JsonObject) => JsonObject
}

async function keyOf(server: TestHomeserver): Promise<string> {
  const told = await server.ok('GET', '/.well-known/matrix/policy_server')
  return told.public_keys.ed25519 as string
}

async function policed(t: TestContext, settings: Parameters<typeof startTestHomeserver>[0] = {}): Promise<Policed> {
  const server = await startTestHomeserver({ settings: { policyServer: { lists: [] }, ...settings.settings } })
  t.after(() => server[Symbol.asyncDispose]())
  const ann = await server.user('ann')
  const peer = server.peer(PEER)
  const creation = { room_version: VERSION, preset: 'public_chat' }
  const roomId = (await ann.ok('POST', '/createRoom', creation)).room_id as string
  const joined = finish(peer, VERSION, await template(peer, 'join', { roomId, userId: BOB, version: VERSION }))
  await peer.ok('PUT', `/v2/send_join/${part(roomId)}/${part(joined.eventId)}`, joined.body)
  const key = await keyOf(server)
  const content = { via: 'example.org', public_keys: { ed25519: key } }
  await ann.ok('PUT', `/rooms/${part(roomId)}/state/m.room.policy/`, content)
  const event = (changes: JsonObject = {}): JsonObject =>
    finish(peer, VERSION, {
      type: 'm.room.message',
      room_id: roomId,
      sender: BOB,
      content: { body: 'hello', msgtype: 'm.text' },
      depth: 20,
      origin_server_ts: 1_700_000_000_000,
      auth_events: [joined.eventId],
      prev_events: [joined.eventId],
      ...changes,
    }).body
  return { server, peer, roomId, key, event }
}

function holds(event: JsonObject, key: string, answer: Record<string, Record<string, string>>): boolean {
  const parsed = parsePdu(event, rulesFor(VERSION)!)
  assert.ok(parsed.ok)
  return signatureHolds(parseVerifyKey(key)!, parsed.signable, answer['example.org']!['ed25519:policy_server']!)
}

test('[PS9] a sound event of a room that uses this policy server is signed with its key', async (t) => {
  const { peer, key, event, server } = await policed(t)
  const one = event()
  const answer = await peer.ok('POST', SIGN, one)
  assert.deepEqual(Object.keys(answer), ['example.org'])
  assert.ok(holds(one, key, answer))
  assert.notEqual(key, server.parts.signingKey.publicKey)
})

test('[PS9] what is unsound, or of others, is not signed', async (t) => {
  const { peer, roomId, event, server } = await policed(t)
  const stranger = server.peer('stranger.example')
  const { signatures: _signatures, ...unsigned } = event()
  const refusals: [string, TestPeer, JsonObject, number, string][] = [
    ['no origin signature', peer, { ...unsigned, signatures: {} }, 400, 'M_BAD_JSON'],
    ['content of another hash', peer, { ...event(), content: { body: 'buy!' } }, 400, 'M_FORBIDDEN'],
    ['no room', peer, { ...event(), room_id: 7 }, 400, 'M_BAD_JSON'],
    ['an unknown room', peer, event({ room_id: '!elsewhere:example.org' }), 404, 'M_NOT_FOUND'],
    ['a malformed event', peer, { room_id: roomId }, 400, 'M_BAD_JSON'],
    ['m.room.policy', peer, event({ type: 'm.room.policy', state_key: '', content: {} }), 400, 'M_FORBIDDEN'],
    ['a server outside', stranger, event(), 403, 'M_FORBIDDEN'],
  ]
  for (const [name, asker, body, status, errcode] of refusals) {
    const answer = await asker.request('POST', SIGN, body)
    assert.deepEqual([answer.status, answer.body.errcode], [status, errcode], name)
  }
})

test('[PS9] a room that does not name this server, or not with its key, gets no signature', async (t) => {
  const { server, peer, roomId, event } = await policed(t)
  const owner = await server.ok('POST', '/login', {
    body: { type: 'm.login.password', identifier: { type: 'm.id.user', user: 'ann' }, password: 'secret-ann' },
  })
  const other = { via: 'example.org', public_keys: { ed25519: server.parts.signingKey.publicKey } }
  await server.ok('PUT', `/rooms/${part(roomId)}/state/m.room.policy/`, { token: owner.access_token, body: other })
  assert.equal((await peer.request('POST', SIGN, event())).body.errcode, 'M_NOT_FOUND')
})

test('[PS9] no more is signed of a sender than the rate limit lets through, but own leaves are', async (t) => {
  const policy_signature = { perSecond: 0.001, burst: 2 }
  const off = Object.fromEntries(Object.keys(DEFAULT_RATE_LIMITS).map((name) => [name, undefined]))
  const rateLimits = { ...off, policy_signature } as unknown as typeof DEFAULT_RATE_LIMITS
  const { peer, event } = await policed(t, { settings: { rateLimits } })
  for (const body of ['one', 'two']) await peer.ok('POST', SIGN, event({ content: { body } }))
  const third = await peer.request('POST', SIGN, event({ content: { body: 'three' } }))
  assert.equal(third.status, 429)
  assert.ok(third.body.retry_after_ms > 0)
  await peer.ok('POST', SIGN, event({ type: 'm.room.member', state_key: BOB, content: { membership: 'leave' } }))
})

test('[PS10] the key survives a restart', async (t) => {
  const { server, key } = await policed(t)
  await server.restart()
  assert.equal(await keyOf(server), key)
})

test('[PS8] without the setting this is no policy server', async (t) => {
  const server = await startTestHomeserver()
  t.after(() => server[Symbol.asyncDispose]())
  assert.equal((await server.request('GET', '/.well-known/matrix/policy_server')).status, 404)
})

test('[PS9] whom a followed list bans can send nothing in the room, from here or from elsewhere', async (t) => {
  const lists: RoomId[] = []
  const federation = await startFederatedHomeservers(['a.example', 'b.example'], {
    settings: { policyServer: { lists } },
  })
  t.after(() => federation[Symbol.asyncDispose]())
  const [a, b] = federation.servers
  const [ann, bob, eve] = [await a!.user('ann'), await b!.user('bob'), await b!.user('eve')]
  const list = (await ann.ok('POST', '/createRoom', {})).room_id as RoomId
  lists.push(list)
  const roomId = (await ann.ok('POST', '/createRoom', { preset: 'public_chat', room_version: VERSION }))
    .room_id as string
  const path = `/rooms/${part(roomId)}`
  for (const user of [bob, eve]) await user.ok('POST', `/join/${part(roomId)}?server_name=a.example`, {})
  const content = { via: 'a.example', public_keys: { ed25519: await keyOf(a!) } }
  await ann.ok('PUT', `${path}/state/m.room.policy/`, content)
  const sees = async (type: string): Promise<boolean> =>
    (await bob.request('GET', `${path}/state/${type}`)).status === 200
  await until(() => sees('m.room.policy'), 'the other server hears of the policy')
  const say = (user: typeof ann, txn: string) =>
    user.request('PUT', `${path}/send/m.room.message/${txn}`, { body: txn })
  assert.equal((await say(eve, 'before')).status, 200)
  const rule = { entity: '@e*:b.example', recommendation: 'm.ban', reason: 'spam' }
  await ann.ok('PUT', `/rooms/${part(list)}/state/m.policy.rule.user/eve`, rule)
  const refused = await say(eve, 'after')
  assert.equal(refused.body.errcode, 'M_FORBIDDEN')
  assert.match(refused.body.error, /policy list/)
  assert.equal((await say(bob, 'bob')).status, 200)
  assert.equal((await say(ann, 'ann')).status, 200)
  await ann.ok('PUT', `/rooms/${part(list)}/state/m.policy.rule.server/a`, { ...rule, entity: 'a.exampl?' })
  assert.match((await say(ann, 'ann2')).body.error, /policy list/)
  await ann.ok('PUT', `/rooms/${part(list)}/state/m.policy.rule.user/eve`, {})
  assert.equal((await say(eve, 'forgiven')).status, 200)
})
