import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import type { HttpClient } from '@holdfast/platform/http/client'
import type { JsonObject, JsonValue } from '@holdfast/protocol/json/value'
import { startTestHomeserver, type TestPeer, type TestUser } from '../../testing/homeserver.ts'
import { publishedKeys } from '../../testing/peer.ts'
import { finish, part, template, type PeerEvent } from '../admit/testing/peer-events.ts'

/** An address needs no discovery. */
const PEER = '192.0.2.1:8448'
const BOB = `@bob:${PEER}`
const VERSION = '10'
const DAY_MS = 24 * 3_600_000

type World = {
  readonly ann: TestUser
  readonly peer: TestPeer
  readonly roomId: string
  readonly joined: PeerEvent
  /** The room's state after Bob's join, by type and state key. */
  readonly state: ReadonlyMap<string, string>
  /** What the peer was asked, and what it answers; everything else is 404 there. */
  readonly asked: string[]
  readonly answers: Map<string, JsonValue>
}

type ClientEvent = { readonly type: string; readonly state_key: string; readonly event_id: string }

async function world(t: TestContext): Promise<World> {
  const asked: string[] = []
  const answers = new Map<string, JsonValue>([
    ['/_matrix/key/v2/server', publishedKeys(PEER, { validUntilTs: Date.now() + DAY_MS })],
  ])
  const server = await startTestHomeserver({ http: scripted(asked, answers) })
  t.after(() => server[Symbol.asyncDispose]())
  const [ann, peer] = [await server.user('ann'), server.peer(PEER)]
  const creation = { room_version: VERSION, preset: 'public_chat' }
  const roomId = (await ann.ok('POST', '/createRoom', creation)).room_id as string
  const joined = finish(peer, VERSION, await template(peer, 'join', { roomId, userId: BOB, version: VERSION }))
  await peer.ok('PUT', `/v2/send_join/${part(roomId)}/${part(joined.eventId)}`, joined.body)
  const events = (await ann.ok('GET', `/rooms/${part(roomId)}/state`)) as ClientEvent[]
  const state = new Map(events.map(({ type, state_key: key, event_id: eventId }) => [`${type} ${key}`, eventId]))
  return { ann, peer, roomId, joined, state, asked, answers }
}

function scripted(asked: string[], answers: ReadonlyMap<string, JsonValue>): HttpClient {
  return {
    send: ({ url }) => {
      const path = decodeURIComponent(new URL(url).pathname)
      asked.push(path)
      const answer = answers.get(path)
      const body = new TextEncoder().encode(JSON.stringify(answer ?? { errcode: 'M_NOT_FOUND', error: 'no' }))
      return Promise.resolve({
        status: answer === undefined ? 404 : 200,
        headers: { 'content-type': 'application/json' },
        body,
      })
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

function event(w: World, changes: JsonObject): PeerEvent {
  return finish(w.peer, VERSION, {
    type: 'm.room.message',
    room_id: w.roomId,
    sender: BOB,
    content: { body: 'hello', msgtype: 'm.text' },
    depth: 20,
    origin_server_ts: 1_700_000_000_000,
    auth_events: [w.state.get('m.room.create ')!, w.state.get('m.room.power_levels ')!, w.joined.eventId],
    prev_events: [w.joined.eventId],
    ...changes,
  })
}

async function send({ peer }: World, txnId: string, ...events: readonly PeerEvent[]): Promise<Record<string, unknown>> {
  const sent = { origin: PEER, origin_server_ts: 1, pdus: events.map(({ body }) => body) }
  return (await peer.ok('PUT', `/v1/send/${txnId}`, sent)).pdus
}

async function isShown({ ann, roomId }: World, { eventId }: PeerEvent): Promise<boolean> {
  return (await ann.request('GET', `/rooms/${part(roomId)}/event/${part(eventId)}`)).status === 200
}

test('an event that the rules refuse was handled: its sender hears of no error, and nobody sees it', async (t) => {
  const w = await world(t)
  const refused = event(w, { sender: `@nobody:${PEER}` })
  const onTop = event(w, { prev_events: [refused.eventId] })
  assert.deepEqual(await send(w, '1', refused, onTop), { [refused.eventId]: {}, [onTop.eventId]: {} })
  assert.deepEqual([await isShown(w, refused), await isShown(w, onTop)], [false, true])
})

test('an event that cites a refused one as what allows it is refused too', async (t) => {
  const w = await world(t)
  const levels = event(w, { type: 'm.room.power_levels', state_key: '', content: { users: { [BOB]: 100 } } })
  const cited = [w.state.get('m.room.create ')!, levels.eventId, w.joined.eventId]
  const citing = event(w, { auth_events: cited })
  await send(w, '1', levels)
  await send(w, '2', citing)
  assert.deepEqual([await isShown(w, levels), await isShown(w, citing)], [false, false])
})

test('an event that is not sound is an error of its sender', async (t) => {
  const w = await world(t)
  const good = event(w, {})
  const signatures = { [PEER]: { [w.peer.key.keyId]: 'A'.repeat(86) } }
  const [[eventId, result] = []] = Object.entries(await send(w, '1', { ...good, body: { ...good.body, signatures } }))
  assert.equal(eventId, good.eventId)
  assert.equal(typeof (result as JsonObject)['error'], 'string')
  assert.equal(await isShown(w, good), false)
})

test('a server that does not tell what authorises an event is asked for the state instead', async (t) => {
  const w = await world(t)
  const again = event(w, { type: 'm.room.member', state_key: BOB, content: { membership: 'join', displayname: 'Bob' } })
  const auth = [w.state.get('m.room.create ')!, w.state.get('m.room.power_levels ')!, again.eventId]
  const middle = event(w, { auth_events: auth, prev_events: [again.eventId], depth: 21 })
  const last = event(w, { auth_events: auth, prev_events: [middle.eventId], depth: 22 })
  const stateIds = [...w.state.values()]
  w.answers.set(`/_matrix/federation/v1/get_missing_events/${w.roomId}`, { events: [middle.body] })
  w.answers.set(`/_matrix/federation/v1/state_ids/${w.roomId}`, { pdu_ids: stateIds, auth_chain_ids: stateIds })
  w.answers.set(`/_matrix/federation/v1/event/${again.eventId}`, {
    origin: PEER,
    origin_server_ts: 1,
    pdus: [again.body],
  })
  assert.deepEqual(await send(w, '1', last), { [last.eventId]: {} })
  assert.ok(w.asked.some((path) => path.includes('/event_auth/')))
  assert.deepEqual([await isShown(w, middle), await isShown(w, last)], [true, true])
})

test('a redaction is shown when it takes effect, and its target is redacted: not before, and not if it never does', async (t) => {
  const w = await world(t)
  const hers = (await w.ann.ok('PUT', `/rooms/${part(w.roomId)}/send/m.room.message/1`, { body: 'hers' })).event_id
  const his = event(w, { content: { body: 'his' } })
  const redact = (eventId: string): PeerEvent => event(w, { type: 'm.room.redaction', redacts: eventId, content: {} })
  const [void1, void2, early] = [redact(hers), redact('$nothing'), redact(his.eventId)]
  await send(w, '1', void1, void2, early)
  assert.deepEqual([await isShown(w, void1), await isShown(w, void2), await isShown(w, early)], [false, false, false])
  const { chunk } = await w.ann.ok('GET', `/rooms/${part(w.roomId)}/messages?dir=b&limit=3`)
  assert.deepEqual(chunk[0].content, { body: 'hers' })
  await send(w, '2', his)
  const shown = await w.ann.ok('GET', `/rooms/${part(w.roomId)}/event/${part(his.eventId)}`)
  assert.deepEqual([shown.content, shown.unsigned.redacted_because.event_id], [{}, early.eventId])
  assert.deepEqual([await isShown(w, void1), await isShown(w, early)], [false, true])
})
