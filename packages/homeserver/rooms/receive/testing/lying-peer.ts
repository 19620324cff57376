/** A room here with a member of a server that signs what it likes, and answers what it is told to. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { HttpClient } from '@holdfast/platform/http/client'
import { isObject, type JsonObject, type JsonValue } from '@holdfast/protocol/json/value'
import { rulesFor } from '@holdfast/protocol/room-version/rules'
import { startTestHomeserver, type TestHomeserver, type TestPeer, type TestUser } from '../../../testing/homeserver.ts'
import { publishedKeys } from '../../../testing/peer.ts'
import { finish, part, template, type PeerEvent } from '../../admit/testing/peer-events.ts'

/** An address needs no discovery. */
export const PEER = '192.0.2.1:8448'
export const BOB = `@bob:${PEER}`
const DAY_MS = 24 * 3_600_000

/**
 * What a server answers on a path, or on all that begin with it up to a star: a value, or what it makes of the body. `on` names one
 * server alone; that comes first.
 */
export type Answers = Map<string, Answer>
type Answer = JsonValue | ((body: JsonObject) => JsonValue | undefined | Promise<JsonValue>)

export type LyingPeer = {
  readonly server: TestHomeserver
  readonly ann: TestUser
  readonly peer: TestPeer
  readonly version: string
  readonly roomId: string
  /** Bob's join. */
  readonly joined: PeerEvent
  /** The room's state after it, by type and state key. */
  readonly state: ReadonlyMap<string, string>
  /** The paths that the peer was asked for. */
  readonly asked: string[]
  /** What it answers; everything else is 404 there, and transactions are taken. */
  readonly answers: Answers
  /** The transactions that it was sent. */
  readonly transactions: JsonObject[]
}

type ClientEvent = { readonly type: string; readonly state_key: string; readonly event_id: string }

export async function aLyingPeer(
  t: TestContext,
  { version = '10', settings = {} }: { readonly version?: string; readonly settings?: JsonObject } = {},
): Promise<LyingPeer> {
  const asked: string[] = []
  const transactions: JsonObject[] = []
  const answers: Answers = new Map([
    ['/_matrix/key/v2/server', publishedKeys(PEER, { validUntilTs: Date.now() + DAY_MS })],
  ])
  const server = await startTestHomeserver({ http: scripted({ asked, transactions, answers }) })
  t.after(() => server[Symbol.asyncDispose]())
  const [ann, peer] = [await server.user('ann'), server.peer(PEER)]
  const room = await aRoomWithBob({ ann, peer, version, settings })
  return { server, ann, peer, version, ...room, asked, answers, transactions }
}

/** Another room with both users. */
export async function anotherRoom(w: LyingPeer): Promise<LyingPeer> {
  return { ...w, ...(await aRoomWithBob({ ...w, settings: {} })) }
}

async function aRoomWithBob({
  ann,
  peer,
  version,
  settings,
}: Pick<LyingPeer, 'ann' | 'peer' | 'version'> & { readonly settings: JsonObject }): Promise<
  Pick<LyingPeer, 'roomId' | 'joined' | 'state'>
> {
  const creation = { room_version: version, preset: 'public_chat', ...settings }
  const roomId = (await ann.ok('POST', '/createRoom', creation)).room_id as string
  const joined = finish(peer, version, await template(peer, 'join', { roomId, userId: BOB, version }))
  await peer.ok('PUT', `/v2/send_join/${part(roomId)}/${part(joined.eventId)}`, joined.body)
  return { roomId, joined, state: await stateOf(ann, roomId) }
}

/** The ids of the state events of a room, as a user sees them. */
export async function stateOf(user: TestUser, roomId: string): Promise<ReadonlyMap<string, string>> {
  const events = (await user.ok('GET', `/rooms/${part(roomId)}/state`)) as ClientEvent[]
  return new Map(events.map(({ type, state_key: key, event_id: eventId }) => [`${type} ${key}`, eventId]))
}

export function scripted({
  asked,
  transactions = [],
  answers,
}: {
  readonly asked: string[]
  readonly transactions?: JsonObject[]
  readonly answers: Answers
}): HttpClient {
  return {
    send: async ({ url, body }) => {
      const { hostname, pathname } = new URL(url)
      const path = decodeURIComponent(pathname)
      asked.push(path)
      const sent =
        body === undefined || body.length === 0 ? {} : (JSON.parse(Buffer.from(body).toString()) as JsonValue)
      const object = isObject(sent) ? sent : {}
      if (path.startsWith('/_matrix/federation/v1/send/')) {
        transactions.push(object)
        return answered(200, { pdus: {} })
      }
      const found = answerTo(`${hostname}${path}`, answers) ?? answerTo(path, answers)
      const answer = typeof found === 'function' ? await found(object) : found
      return answer === undefined ? answered(404, { errcode: 'M_NOT_FOUND', error: 'no' }) : answered(200, answer)
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

function answerTo(name: string, answers: Answers): Answer | undefined {
  const fits = ([prefix]: readonly [string, unknown]): boolean =>
    name === prefix || (prefix.endsWith('*') && name.startsWith(prefix.slice(0, -1)))
  return [...answers].find(fits)?.[1]
}

function answered(status: number, value: JsonValue): Awaited<ReturnType<HttpClient['send']>> {
  const body = new TextEncoder().encode(JSON.stringify(value))
  return { status, headers: { 'content-type': 'application/json' }, body }
}

/** A message of Bob's after his join, with anything changed. */
export function event(w: LyingPeer, changes: JsonObject = {}): PeerEvent {
  const rules = rulesFor(w.version)!
  const cited = ['m.room.create ', 'm.room.power_levels '].map((key) => w.state.get(key)!)
  const auth = [...(rules.roomIdIsCreateHash ? cited.slice(1) : cited), w.joined.eventId]
  return finish(w.peer, w.version, {
    type: 'm.room.message',
    room_id: w.roomId,
    sender: BOB,
    content: { body: 'hello', msgtype: 'm.text' },
    depth: 20,
    origin_server_ts: 1_700_000_000_000,
    auth_events: edges(w, auth),
    prev_events: edges(w, [w.joined.eventId]),
    ...(rules.originField ? { origin: PEER } : {}),
    ...changes,
  })
}

/** A server of its own joins the room with one user. */
export async function anotherPeer(
  w: LyingPeer,
  name: string,
): Promise<{ readonly peer: TestPeer; readonly joined: PeerEvent }> {
  w.answers.set(on(name, '/_matrix/key/v2/server'), publishedKeys(name, { validUntilTs: Date.now() + DAY_MS }))
  const peer = w.server.peer(name)
  const { roomId, version } = w
  const joined = finish(peer, version, await template(peer, 'join', { roomId, userId: `@carl:${name}`, version }))
  await peer.ok('PUT', `/v2/send_join/${part(roomId)}/${part(joined.eventId)}`, joined.body)
  return { peer, joined }
}

/** What one server answers, by its name with a port. */
export function on(server: string, path: string): string {
  return `${server.split(':')[0]}${path}`
}

/** In the form of the room version. */
export function edges({ version }: Pick<LyingPeer, 'version'>, eventIds: readonly string[]): JsonValue {
  return rulesFor(version)!.edgesAsPairs ? eventIds.map((id) => [id, { sha256: 'x' }]) : [...eventIds]
}

function isPeerEvent(pdu: PeerEvent | JsonValue): pdu is PeerEvent {
  return pdu !== null && typeof pdu === 'object' && 'eventId' in pdu
}

let sentTransactions = 0

/** Sends a transaction, which must succeed, whatever is in it. */
export async function send({ peer }: LyingPeer, ...pdus: readonly (PeerEvent | JsonValue)[]): Promise<JsonObject> {
  sentTransactions += 1
  const bodies = pdus.map((pdu) => (isPeerEvent(pdu) ? pdu.body : pdu))
  const sent = { origin: PEER, origin_server_ts: 1, pdus: bodies }
  return (await peer.ok('PUT', `/v1/send/lying${sentTransactions}`, sent)).pdus as JsonObject
}

export async function isShown({ ann, roomId }: LyingPeer, { eventId }: Pick<PeerEvent, 'eventId'>): Promise<boolean> {
  return (await ann.request('GET', `/rooms/${part(roomId)}/event/${part(eventId)}`)).status === 200
}

export function hasError(results: JsonObject, { eventId }: Pick<PeerEvent, 'eventId'>): boolean {
  const result = results[eventId]
  return isObject(result) && typeof result['error'] === 'string'
}

/** The room still works: a user here and the other server's user talk, and both are heard. */
export async function assertAlive(w: LyingPeer): Promise<void> {
  const { event_id: own } = await w.ann.ok('PUT', `/rooms/${part(w.roomId)}/send/m.room.message/${Math.random()}`, {
    msgtype: 'm.text',
    body: 'still here',
  })
  const theirs = event(w, { content: { body: 'me too', msgtype: 'm.text' } })
  assert.deepEqual(await send(w, theirs), { [theirs.eventId]: {} })
  assert.ok(await isShown(w, theirs))
  const { chunk } = await w.ann.ok('GET', `/rooms/${part(w.roomId)}/messages?dir=b&limit=5`)
  assert.ok((chunk as { event_id: string }[]).some(({ event_id: eventId }) => eventId === own))
}
