/** A room of one homeserver, with a scripted policy server and one more scripted server in it. */
import type { TestContext } from 'node:test'
import { type HttpClient, OutgoingFailed } from '@holdfast/platform/http/client'
import { parsePdu, type ParsedPdu } from '@holdfast/protocol/event/format'
import type { JsonObject } from '@holdfast/protocol/json/value'
import { rulesFor } from '@holdfast/protocol/room-version/rules'
import { createSigningKey } from '@holdfast/protocol/signing/signing-key'
import { finish, part, template, type PeerEvent } from '../../../rooms/admit/testing/peer-events.ts'
import { startTestHomeserver, type TestHomeserver, type TestPeer, type TestUser } from '../../../testing/homeserver.ts'
import { publishedKeys } from '../../../testing/peer.ts'

/** Addresses need no discovery. */
export const POLICY = '192.0.2.1:8448'
export const OTHER = '192.0.2.2:8448'
export const BOB = `@bob:${OTHER}`
const VERSION = '11'
const DAY_MS = 24 * 3_600_000

/** The key in the room's state. */
export const policyKey = createSigningKey({ keyId: 'ed25519:policy_server', seed: new Uint8Array(32).fill(7) })

/** `body` is sent as JSON, text as it is; an error is thrown. */
export type Answer = { readonly status?: number; readonly body: unknown } | OutgoingFailed

export type PolicedRoom = {
  readonly server: TestHomeserver
  readonly ann: TestUser
  readonly roomId: string
  /** What the policy server was shown, in order. */
  readonly shown: ParsedPdu[]
  /** From now on the policy server answers this; by default it signs everything. */
  readonly answers: (answer: (event: ParsedPdu) => Answer | Promise<Answer>) => void
  /** Below `/rooms/ROOM`. */
  readonly path: (rest: string) => string
  /** An event of Bob's, who is in the room by another server. */
  readonly bobs: (changes: JsonObject) => PeerEvent
  /** Bob's server sends the events in a transaction. */
  readonly receive: (...events: readonly PeerEvent[]) => Promise<Record<string, unknown>>
  readonly isShown: (eventId: string) => Promise<boolean>
  /** The event as it is stored. */
  readonly stored: (eventId: string) => Promise<JsonObject>
}

export function signed({ signable }: ParsedPdu): Answer {
  return { body: { [POLICY]: { 'ed25519:policy_server': policyKey.sign(signable) } } }
}

export async function policedRoom(t: TestContext): Promise<PolicedRoom> {
  const shown: ParsedPdu[] = []
  let answer: Parameters<PolicedRoom['answers']>[0] = signed
  const http = scripted(async (event) => {
    shown.push(event)
    return answer(event)
  })
  const server = await startTestHomeserver({ http })
  t.after(() => server[Symbol.asyncDispose]())
  const ann = await server.user('ann')
  const creation = { room_version: VERSION, preset: 'public_chat' }
  const roomId = (await ann.ok('POST', '/createRoom', creation)).room_id as string
  await join(server.peer(POLICY), roomId, `@pat:${POLICY}`)
  const other = server.peer(OTHER)
  const joined = await join(other, roomId, BOB)
  const state = (await ann.ok('GET', `/rooms/${part(roomId)}/state`)) as Record<string, string>[]
  const idOf = (type: string): string => state.find((event) => event['type'] === type)!['event_id']!
  const auth = [idOf('m.room.create'), idOf('m.room.power_levels'), joined.eventId]
  const path = (rest: string): string => `/rooms/${part(roomId)}${rest}`
  let txn = 0
  await ann.ok('PUT', path('/state/m.room.policy/'), { via: POLICY, public_keys: { ed25519: policyKey.publicKey } })
  return {
    server,
    ann,
    roomId,
    shown,
    answers: (next) => void (answer = next),
    path,
    bobs: (changes) =>
      finish(other, VERSION, {
        type: 'm.room.message',
        room_id: roomId,
        sender: BOB,
        content: { body: 'hello', msgtype: 'm.text' },
        depth: 20,
        origin_server_ts: 1_700_000_000_000,
        auth_events: auth,
        prev_events: [joined.eventId],
        ...changes,
      }),
    receive: async (...events) => {
      txn += 1
      const sent = { origin: OTHER, origin_server_ts: 1, pdus: events.map(({ body }) => body) }
      return (await other.ok('PUT', `/v1/send/${txn}`, sent)).pdus as Record<string, unknown>
    },
    isShown: async (eventId) => (await ann.request('GET', path(`/event/${part(eventId)}`))).status === 200,
    stored: async (eventId) => {
      const { parts } = server
      const event = await parts.events.inRoom((await parts.heads.roomNid(roomId as never))!, eventId as never)
      return JSON.parse(event!.json) as JsonObject
    },
  }
}

async function join(peer: TestPeer, roomId: string, userId: string): Promise<PeerEvent> {
  const joined = finish(peer, VERSION, await template(peer, 'join', { roomId, userId, version: VERSION }))
  await peer.ok('PUT', `/v2/send_join/${part(roomId)}/${part(joined.eventId)}`, joined.body)
  return joined
}

function scripted(sign: (event: ParsedPdu) => Promise<Answer>): HttpClient {
  return {
    send: async ({ url, headers, body }) => {
      const { pathname } = new URL(url)
      const host = headers?.['host'] ?? ''
      const answer = await answerTo(host, pathname, () => sign(parsed(JSON.parse(String(body)) as JsonObject)))
      if (answer instanceof OutgoingFailed) throw answer
      const text = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body)
      return { status: answer.status ?? 200, headers: {}, body: Buffer.from(text) }
    },
    [Symbol.asyncDispose]: async () => {},
  }
}

async function answerTo(host: string, path: string, sign: () => Promise<Answer>): Promise<Answer> {
  if (path === '/_matrix/key/v2/server') return { body: publishedKeys(host, { validUntilTs: Date.now() + DAY_MS }) }
  if (path === '/_matrix/policy/v1/sign' && host === POLICY) return sign()
  if (path.startsWith('/_matrix/federation/v1/send/')) return { body: { pdus: {} } }
  return { status: 404, body: { errcode: 'M_NOT_FOUND', error: 'no' } }
}

function parsed(event: JsonObject): ParsedPdu {
  const pdu = parsePdu(event, rulesFor(VERSION)!)
  if (!pdu.ok) throw new Error(pdu.message)
  return pdu
}
