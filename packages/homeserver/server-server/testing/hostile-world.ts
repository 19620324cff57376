/** Rooms in which everything that another server can ask for is there to be asked for. */
import type { TestContext } from 'node:test'
import { signEventJson } from '@holdfast/protocol/event/sign'
import { isObject, type JsonObject } from '@holdfast/protocol/json/value'
import { rulesFor } from '@holdfast/protocol/room-version/rules'
import { createSigningKey } from '@holdfast/protocol/signing/signing-key'
import { finish, part, type PeerEvent } from '../../rooms/admit/testing/peer-events.ts'
import {
  aLyingPeer,
  anotherRoom,
  BOB,
  edges,
  event,
  type LyingPeer,
  PEER,
  send,
  stateOf,
} from '../../rooms/receive/testing/lying-peer.ts'

export type HostileWorld = LyingPeer & {
  /** Members of the other server's, who may leave: their joins, each after the one before it. */
  readonly members: readonly PeerEvent[]
  /** A room that one may knock at, and its rule that says so; undefined where there are none. */
  readonly knocking: LyingPeer | undefined
  /** A room of the other server's that is not known here. */
  readonly elsewhere: { readonly roomId: string; readonly create: JsonObject }
}

/** What the identity service signs with that an address was invited through, and the token that stands for it. */
export const IDENTITY = {
  name: 'id.example',
  key: createSigningKey({ keyId: 'ed25519:0', seed: new Uint8Array(32).fill(7) }),
  token: 'token1',
} as const

const MEMBERS = 40

export async function aHostileWorld(t: TestContext, version: string): Promise<HostileWorld> {
  const w = await aLyingPeer(t, { version })
  w.answers.set('/isvalid', { valid: true })
  w.answers.set('/_matrix/federation/v2/invite/*', ({ event: invitation }) =>
    isObject(invitation) ? { event: signedByPeer(w, invitation) } : undefined,
  )
  const invitedAddress = {
    display_name: 'b...@example.com',
    key_validity_url: `https://192.0.2.9/isvalid`,
    public_key: IDENTITY.key.publicKey,
  }
  await w.ann.ok('PUT', `/rooms/${part(w.roomId)}/state/m.room.third_party_invite/${IDENTITY.token}`, invitedAddress)
  const members: PeerEvent[] = []
  for (let index = 0; index < MEMBERS; index += 1) members.push(memberJoin(w, members.at(-1), index))
  await send(w, ...members)
  return { ...w, members, knocking: await aKnockingRoom(w), elsewhere: anUnknownRoom(w) }
}

function signedByPeer({ peer, version }: LyingPeer, value: JsonObject): JsonObject {
  return JSON.parse(signEventJson(JSON.stringify(value), rulesFor(version)!, peer.serverName, peer.key)) as JsonObject
}

function memberJoin(w: LyingPeer, before: PeerEvent | undefined, index: number): PeerEvent {
  const userId = `@member${index}:${PEER}`
  return event(w, {
    type: 'm.room.member',
    sender: userId,
    state_key: userId,
    content: { membership: 'join' },
    auth_events: edges(w, authOf(w, 'm.room.join_rules ')),
    prev_events: edges(w, [(before ?? w.joined).eventId]),
    depth: 20 + index,
  })
}

/** The ids of the events that authorise one: the create event where it is named, the power levels, and others of the room's state. */
export function authOf({ version, state }: LyingPeer, ...others: readonly string[]): readonly string[] {
  const usual = rulesFor(version)!.roomIdIsCreateHash
    ? ['m.room.power_levels ']
    : ['m.room.create ', 'm.room.power_levels ']
  return [...usual, ...others].map((key) => state.get(key)!)
}

async function aKnockingRoom(w: LyingPeer): Promise<LyingPeer | undefined> {
  if (!rulesFor(w.version)!.knocking) return undefined
  const room = await anotherRoom(w)
  await w.ann.ok('PUT', `/rooms/${part(room.roomId)}/state/m.room.join_rules`, { join_rule: 'knock' })
  return { ...room, state: await stateOf(w.ann, room.roomId) }
}

function anUnknownRoom({ peer, version }: LyingPeer): HostileWorld['elsewhere'] {
  const rules = rulesFor(version)!
  const roomId = `!elsewhere:${PEER}`
  const create = finish(peer, version, {
    type: 'm.room.create',
    state_key: '',
    sender: BOB,
    content: { room_version: version, ...(rules.creatorInContent ? { creator: BOB } : {}) },
    depth: 1,
    origin: PEER,
    origin_server_ts: 1_700_000_000_000,
    prev_events: [],
    auth_events: [],
    ...(rules.roomIdIsCreateHash ? {} : { room_id: roomId }),
  })
  return { roomId: rules.roomIdIsCreateHash ? `!${create.eventId.slice(1)}` : roomId, create: create.body }
}
