/** A server that exists by its key and its members only: enough to ask questions. */
import { signRequest } from '@holdfast/protocol/federation/signed-request'
import type { EventId, RoomId, ServerName, UserId } from '@holdfast/protocol/ids/brand'
import type { JsonObject, JsonValue } from '@holdfast/protocol/json/value'
import { createSigningKey, type SigningKey } from '@holdfast/protocol/signing/signing-key'
import { upsertVerifyKey } from '../../../storage/server-keys.ts'
import type { TestHomeserver, TestResponse } from '../../../testing/homeserver.ts'
import type { NewRoomEvent } from '../../room-draft.ts'

export type FarServer = {
  readonly name: ServerName
  readonly key: SigningKey
  /** A signed request; the path begins behind `/_matrix/federation/v1`. */
  request(method: string, path: string, body?: JsonValue): Promise<TestResponse>
  get(path: string): Promise<TestResponse>
  ok(path: string): Promise<TestResponse['body']>
  user(localpart: string): UserId
  /** A member of the server changes the own membership. */
  member(roomId: string, localpart: string, membership: 'join' | 'leave' | 'knock'): Promise<EventId>
}

const DAY_MS = 24 * 3_600_000

export async function aFarServer(homeserver: TestHomeserver, name = 'far.example'): Promise<FarServer> {
  const key = createSigningKey({ keyId: 'ed25519:far', seed: Buffer.alloc(32, name) })
  const { db, clock, serverName } = homeserver.parts
  const validUntilMs = clock.nowMs() + DAY_MS
  const row = { server: name, keyId: key.keyId, publicKey: key.publicKey, validUntilMs, expiredMs: undefined }
  await db.commit([upsertVerifyKey({ ...row, isDirect: true })])
  const origin = name as ServerName

  async function request(method: string, path: string, content?: JsonValue): Promise<TestResponse> {
    const uri = `/_matrix/federation/v1${path}`
    const authorization = signRequest({ method, uri, origin, destination: serverName, content }, key)
    return homeserver.request(method, uri, { body: content, headers: { authorization } })
  }

  const user = (localpart: string): UserId => `@${localpart}:${name}` as UserId

  return {
    name: origin,
    key,
    request,
    get: (path) => request('GET', path),
    ok: async (path) => {
      const { status, body } = await request('GET', path)
      if (status !== 200) throw new Error(`GET ${path} answered ${status} ${JSON.stringify(body)}`)
      return body
    },
    user,
    member: (roomId, localpart, membership) =>
      act(homeserver, roomId, {
        type: 'm.room.member',
        stateKey: user(localpart),
        sender: user(localpart),
        content: { membership },
      }),
  }
}

/** An event of whoever sends it, put into the room as if it had been received. */
export async function act(
  { parts }: TestHomeserver,
  roomId: string,
  draft: Omit<NewRoomEvent, 'originServerTs' | 'sender' | 'content'> & {
    readonly sender: string
    readonly content: JsonObject
    readonly originServerTs?: number
  },
): Promise<EventId> {
  const roomNid = (await parts.heads.roomNid(roomId as RoomId))!
  const event = { originServerTs: parts.clock.nowMs(), ...draft, sender: draft.sender as UserId }
  const { event: sent } = await parts.roomQueue.run(roomNid, {
    prepare: () => ({ events: [event] }),
    decide: (room) => room.add(event),
  })
  return sent.pdu.eventId
}
