/** Events of a scripted server: from a template to what it submits, with anything changed on the way. */
import { contentHash } from '@holdfast/protocol/event/hash'
import { parsePdu } from '@holdfast/protocol/event/format'
import { signEventJson } from '@holdfast/protocol/event/sign'
import type { JsonObject } from '@holdfast/protocol/json/value'
import { rulesFor, type RoomRules } from '@holdfast/protocol/room-version/rules'
import type { TestPeer } from '../../../testing/homeserver.ts'

export type PeerEvent = { readonly eventId: string; readonly body: JsonObject }

let made = 0

/** Hashed and signed by the peer. */
export function finish(peer: Pick<TestPeer, 'serverName' | 'key'>, version: string, event: JsonObject): PeerEvent {
  const rules = rulesFor(version)!
  made += 1
  const id = rules.eventId === 'random' ? { event_id: `$e${made}:${peer.serverName}` } : {}
  const whole = { ...event, ...id }
  const hashed = { ...whole, hashes: { sha256: contentHash(whole, rules) } }
  const body = JSON.parse(signEventJson(JSON.stringify(hashed), rules, peer.serverName, peer.key)) as JsonObject
  return { eventId: idOf(body, rules), body }
}

function idOf(body: JsonObject, rules: RoomRules): string {
  const parsed = parsePdu(body, rules)
  if (!parsed.ok) return '$malformed:other.example'
  return parsed.pdu.eventId
}

/** What make_join, make_leave or make_knock says, with the server's own time. */
export async function template(
  peer: TestPeer,
  action: 'join' | 'leave' | 'knock',
  { roomId, userId, version }: { readonly roomId: string; readonly userId: string; readonly version: string },
): Promise<JsonObject> {
  const query = action === 'leave' ? '' : `?ver=${version}`
  const answer = await peer.ok('GET', `/v1/make_${action}/${part(roomId)}/${part(userId)}${query}`)
  return { ...answer.event, origin: peer.serverName } as JsonObject
}

export function part(text: string): string {
  return encodeURIComponent(text)
}
