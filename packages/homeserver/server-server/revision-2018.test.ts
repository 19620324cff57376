/** Every operation that the specification of August 2018 has, asked as a server of that time asks it, in a room of version 1. */
import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import type { HttpClient } from '@holdfast/platform/http/client'
import { parsePdu } from '@holdfast/protocol/event/format'
import type { JsonObject, JsonValue } from '@holdfast/protocol/json/value'
import { rulesFor } from '@holdfast/protocol/room-version/rules'
import { finish, part, template, type PeerEvent } from '../rooms/admit/testing/peer-events.ts'
import { startTestHomeserver, type TestHomeserver, type TestPeer, type TestUser } from '../testing/homeserver.ts'
import { authorization, publishedKeys } from '../testing/peer.ts'
import { until } from '../testing/until.ts'

/** An address needs no discovery. */
const FAR = '192.0.2.1:8448'
const OLD = 'old.example'
const BOB = `@bob:${OLD}`
const V1 = rulesFor('1')!

type Ask = (method: string, target: string, body?: unknown) => Promise<TestResponseBody>
// oxlint-disable-next-line typescript/no-explicit-any -- a test looks where it expects something
type TestResponseBody = any

type World = {
  readonly server: TestHomeserver
  readonly ann: TestUser
  readonly peer: TestPeer
  readonly ask: Ask
  readonly roomId: string
  readonly room: string
}

/** The name of the origin without quotes, and no destination: <https://spec.matrix.org/v1.19/server-server-api/#request-authentication>. */
function oldHeader(header: string): string {
  return header.replace(/origin="([^"]*)"/, 'origin=$1').replace(/,destination="[^"]*"/, '')
}

async function world(t: TestContext): Promise<World> {
  const server = await startTestHomeserver()
  t.after(() => server[Symbol.asyncDispose]())
  const [ann, peer] = [await server.user('ann'), server.peer(OLD)]
  const ask: Ask = async (method, target, body) => {
    const signed = { origin: OLD, destination: 'example.org', method, target, content: body }
    const header = oldHeader(authorization(signed))
    assert.match(header, /^X-Matrix origin=old\.example,key="[^"]+",sig="[^"]+"$/)
    const response = await server.request(method, target, { body, headers: { authorization: header } })
    assert.equal(response.status, 200, `${method} ${target}: ${JSON.stringify(response.body)}`)
    return response.body
  }
  const { room_id: roomId } = await ann.ok('POST', '/createRoom', {
    preset: 'public_chat',
    room_version: '1',
    name: 'Port',
  })
  return { server, ann, peer, ask, roomId, room: part(roomId) }
}

const F = '/_matrix/federation/v1'

/** From a template to an event with the id, hash and signature of the old server. */
function filled({ peer }: World, template: JsonObject, more: JsonObject = {}): PeerEvent {
  return finish(peer, '1', { ...template, origin: OLD, origin_server_ts: Date.now(), ...more })
}

async function join(w: World): Promise<{ readonly joined: PeerEvent; readonly answer: TestResponseBody }> {
  // Room versions are not known yet: none is named, neither in the question nor in the event.
  const { event } = await w.ask('GET', `${F}/make_join/${w.room}/${part(BOB)}`)
  const joined = filled(w, event)
  const answer = await w.ask('PUT', `${F}/send_join/${w.room}/${part(joined.eventId)}`, joined.body)
  return { joined, answer }
}

function edge(event: TestResponseBody): JsonValue {
  const parsed = parsePdu(event, V1)
  assert.ok(parsed.ok)
  return [parsed.pdu.eventId, { sha256: parsed.referenceHash }]
}

test('a server of 2018 joins, talks, reads, and leaves', async (t) => {
  const w = await world(t)
  const { joined, answer } = await join(w)
  const [status, { origin, state, auth_chain: authChain }] = answer
  assert.deepEqual([status, origin], [200, 'example.org'])
  const types = (events: JsonObject[]) => events.map(({ type }) => type)
  assert.ok(types(state).includes('m.room.name') && types(authChain).includes('m.room.create'))
  for (const event of [...state, ...authChain]) {
    const parsed = parsePdu(event, V1)
    assert.ok(parsed.ok && parsed.hashMatches && event.event_id.endsWith(':example.org'))
    for (const [id, hashes] of [...event.prev_events, ...event.auth_events]) {
      assert.ok(typeof id === 'string' && typeof hashes.sha256 === 'string' && hashes.sha256 !== '')
    }
  }
  const authOf = (type: string) => edge(state.find((event: JsonObject) => event['type'] === type))
  const auth = ['m.room.create', 'm.room.power_levels'].map(authOf)
  const message = finish(w.peer, '1', {
    type: 'm.room.message',
    room_id: w.roomId,
    sender: BOB,
    origin: OLD,
    origin_server_ts: Date.now(),
    content: { msgtype: 'm.text', body: 'ahoy' },
    depth: (joined.body['depth'] as number) + 1,
    prev_events: [edge(joined.body)],
    prev_state: [],
    auth_events: [...auth, edge(joined.body)],
  })
  const pdus = [{ ...message.body, unsigned: { age: 4612 } }]
  const sent = { origin: OLD, origin_server_ts: Date.now(), previous_ids: [], pdus }
  // The revision says `[200, {...}]` here, which no server ever answered; later ones say what all of them do.
  assert.deepEqual(await w.ask('PUT', `${F}/send/1`, sent), { pdus: { [message.eventId]: {} } })
  const shown = await w.ann.ok('GET', `/rooms/${w.room}/event/${part(message.eventId)}`)
  assert.equal(shown.content.body, 'ahoy')

  const event = part(message.eventId)
  const one = await w.ask('GET', `${F}/event/${event}`)
  assert.deepEqual([one.origin, one.pdus[0].event_id], ['example.org', message.eventId])
  assert.equal(typeof one.origin_server_ts, 'number')
  const whole = await w.ask('GET', `${F}/state/${w.room}?event_id=${event}`)
  const ids = await w.ask('GET', `${F}/state_ids/${w.room}?event_id=${event}`)
  const idsOf = (events: JsonObject[]) =>
    events.map(({ event_id: id }) => id as string).toSorted((a, b) => (a < b ? -1 : 1))
  assert.deepEqual(idsOf(whole.pdus), ids.pdu_ids.toSorted())
  assert.deepEqual(idsOf(whole.auth_chain), ids.auth_chain_ids.toSorted())
  const { auth_chain: chain } = await w.ask('GET', `${F}/event_auth/${w.room}/${event}`)
  assert.ok(idsOf(chain).includes(joined.eventId))
  const compared = await w.ask('POST', `${F}/query_auth/${w.room}/${event}`, {
    auth_chain: chain,
    missing: [],
    rejects: {},
  })
  assert.deepEqual([idsOf(compared.auth_chain), compared.missing, compared.rejects], [idsOf(chain), [], {}])
  const past = await w.ask('GET', `${F}/backfill/${w.room}?v=${event}&limit=3`)
  assert.equal(past.origin, 'example.org')
  assert.equal(past.pdus.length, 3)
  const gap = { earliest_events: [], latest_events: [message.eventId], limit: 1, min_depth: 0 }
  const { events } = await w.ask('POST', `${F}/get_missing_events/${w.room}`, gap)
  assert.deepEqual(idsOf(events), [joined.eventId])

  const { event: leaving } = await w.ask('GET', `${F}/make_leave/${w.room}/${part(BOB)}`)
  const left = filled(w, leaving)
  assert.deepEqual(await w.ask('PUT', `${F}/send_leave/${w.room}/${part(left.eventId)}`, left.body), [200, {}])
  const member = await w.ann.ok('GET', `/rooms/${w.room}/state/m.room.member/${part(BOB)}`)
  assert.equal(member.membership, 'leave')
})

test('a server of 2018 invites, and gets the event back as it was, with one more signature', async (t) => {
  const w = await world(t)
  const create = `$create:${OLD}`
  const invitation = finish(w.peer, '1', {
    type: 'm.room.member',
    room_id: `!old:${OLD}`,
    sender: BOB,
    state_key: w.ann.userId,
    origin: OLD,
    origin_server_ts: Date.now(),
    content: { membership: 'invite' },
    depth: 4,
    prev_events: [[create, { sha256: 'abc' }]],
    prev_state: [],
    auth_events: [[create, { sha256: 'abc' }]],
  })
  const stripped = { type: 'm.room.name', state_key: '', sender: BOB, content: { name: 'Old port' } }
  const unsigned = { invite_room_state: [stripped], age: 7 }
  const target = `${F}/invite/${part(`!old:${OLD}`)}/${part(invitation.eventId)}`
  const [status, { event, ...more }] = await w.ask('PUT', target, { ...invitation.body, unsigned })
  assert.deepEqual([status, more], [200, {}])
  const { signatures, unsigned: _unsigned, ...rest } = event
  const { signatures: before, ...same } = invitation.body
  assert.deepEqual(rest, same)
  assert.deepEqual(Object.keys(signatures).toSorted(), ['example.org', OLD])
  assert.deepEqual(signatures[OLD], (before as JsonObject)[OLD])
  const invited = (await w.ann.ok('GET', '/sync')).rooms.invite[`!old:${OLD}`].invite_state.events
  assert.ok(invited.some(({ content }: { content: { name?: string } }) => content.name === 'Old port'))
})

test('a server of 2018 asks about servers, users, aliases and rooms', async (t) => {
  const w = await world(t)
  const alias = '#port:example.org'
  await w.ann.ok('PUT', `/directory/room/${part(alias)}`, { room_id: w.roomId })
  await w.ann.ok('PUT', `/directory/list/room/${w.room}`, { visibility: 'public' })
  await w.ann.ok('PUT', `/profile/${w.ann.userId}/displayname`, { displayname: 'Ann' })
  const found = await w.ask('GET', `${F}/query/directory?room_alias=${part(alias)}`)
  assert.deepEqual(found, { room_id: w.roomId, servers: ['example.org'] })
  const profile = `${F}/query/profile?user_id=${part(w.ann.userId)}`
  assert.equal((await w.ask('GET', profile)).displayname, 'Ann')
  assert.deepEqual(await w.ask('GET', `${profile}&field=displayname`), { displayname: 'Ann' })
  const other = await w.peer.request('GET', `${F}/query/client_versions?x=y`)
  assert.deepEqual([other.status, other.body.errcode], [404, 'M_UNRECOGNIZED'])
  const { chunk, total_room_count_estimate: total } = await w.ask('GET', `${F}/publicRooms?limit=5`)
  assert.deepEqual([chunk[0].room_id, total], [w.roomId, 1])
  assert.equal(typeof (await w.ask('GET', `${F}/version`)).server.name, 'string')
  const { access_token: token } = await w.ann.ok('POST', `/user/${w.ann.userId}/openid/request_token`, {})
  const userinfo = await w.server.ok('GET', `${F}/openid/userinfo?access_token=${part(token)}`)
  assert.deepEqual(userinfo, { sub: w.ann.userId })

  const own = await w.server.ok('GET', '/_matrix/key/v2/server/ed25519:1')
  assert.equal(own.server_name, 'example.org')
  const byName = await w.server.ok(
    'GET',
    `/_matrix/key/v2/query/${OLD}/${part(w.peer.key.keyId)}?minimum_valid_until_ts=0`,
  )
  const wanted = { server_keys: { [OLD]: { [w.peer.key.keyId]: { minimum_valid_until_ts: 0 } } } }
  const byBody = await w.server.ok('POST', '/_matrix/key/v2/query', { body: wanted })
  for (const { server_keys: keys } of [byName, byBody]) {
    assert.deepEqual(keys[0].verify_keys, { [w.peer.key.keyId]: { key: w.peer.key.publicKey } })
    assert.ok(keys[0].signatures['example.org'] !== undefined && keys[0].signatures[OLD] !== undefined)
  }
})

test('a server that answers transactions as the text of 2018 says is not sent them again', async (t) => {
  const sent: string[] = []
  const published = publishedKeys(FAR, { validUntilTs: Date.now() + 24 * 3_600_000 })
  const http: HttpClient = {
    send: ({ url, body }) => {
      const path = new URL(url).pathname
      if (path.includes('/send/')) {
        const { pdus } = JSON.parse(Buffer.from(body!).toString()) as { pdus: { event_id: string }[] }
        sent.push(...pdus.map(({ event_id: eventId }) => eventId))
      }
      const answer = path.startsWith('/_matrix/key/') ? published : [200, { pdus: {} }]
      return Promise.resolve({ status: 200, headers: {}, body: Buffer.from(JSON.stringify(answer)) })
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
  const server = await startTestHomeserver({ http })
  t.after(() => server[Symbol.asyncDispose]())
  const [ann, peer] = [await server.user('ann'), server.peer(FAR)]
  const { room_id: roomId } = await ann.ok('POST', '/createRoom', { preset: 'public_chat', room_version: '1' })
  const joined = finish(peer, '1', await template(peer, 'join', { roomId, userId: `@bob:${FAR}`, version: '1' }))
  await peer.ok('PUT', `/v1/send_join/${part(roomId)}/${part(joined.eventId)}`, joined.body)
  const said: string[] = []
  for (const n of [1, 2]) {
    const target = `/rooms/${part(roomId)}/send/m.room.message/${n}`
    said.push((await ann.ok('PUT', target, { msgtype: 'm.text', body: 'hello' })).event_id as string)
    await until(() => sent.includes(said.at(-1)!), `message ${n} is sent`)
  }
  assert.deepEqual(sent, said)
})
