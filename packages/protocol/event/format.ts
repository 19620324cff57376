/** Reading an event of another server: the format of its room version, its limits, its hashes and its id. */
import type { EventId, RoomId, UserId } from '../ids/brand.ts'
import { parseEventId } from '../ids/event-id.ts'
import { isObject } from '../json/value.ts'
import type { JsonObject } from '../json/value.ts'
import type { RoomRules } from '../room-version/rules.ts'
import { decodeBase64Tolerant, encodeBase64 } from '../signing/base64.ts'
import { sha256Base64 } from '../signing/hash.ts'
import { formatProblem } from './format-checks.ts'
import type { FormatProblem } from './format-checks.ts'
import { contentHash, eventIdFromHash, signableText, without } from './hash.ts'
import type { Pdu } from './pdu.ts'
import { redactEvent } from './redact.ts'
import { isSignedEventTooLarge } from './size.ts'
import { eventText } from './text.ts'

export type Signatures = Readonly<Record<string, Readonly<Record<string, string>>>>

export type ParsedPdu = {
  readonly ok: true
  readonly pdu: Pdu
  /** The event in canonical JSON, without `unsigned`; in its redacted form if the hash in it was wrong. */
  readonly json: string
  /** The text that signatures cover. */
  readonly signable: string
  /** By server, then by key id; `signaturesToCheck` says which of them count. */
  readonly signatures: Signatures
  /** Unpadded base64. */
  readonly referenceHash: string
  /** Whether the content hash was right. If not, all else here is the redacted event. */
  readonly hashMatches: boolean
}

export type PduProblem = { readonly ok: false; readonly problem: FormatProblem['problem']; readonly message: string }

/**
 * Checks 1 and 3 on receipt: a valid event is answered as it is to be processed further, that is redacted if its hash is
 * wrong. Nothing is checked about signatures. `exact` is the same event from `parseExactly`; it is needed only where `parseJson`
 * answered `canonicalNumbers: false`. <https://spec.matrix.org/v1.19/server-server-api/#checks-performed-on-receipt-of-a-pdu>
 */
export function parsePdu(value: JsonObject, rules: RoomRules, exact: JsonObject = value): ParsedPdu | PduProblem {
  const malformed = formatProblem(value, rules)
  if (malformed !== undefined) return { ok: false, ...malformed }
  // `unsigned` is what the last server on the way said, and no part of the event.
  const received = without(exact, ['unsigned'])
  const text = eventText(received, rules)
  if (text === undefined) {
    return {
      ok: false,
      problem: 'not-canonical',
      message: 'A number is not an integer of canonical JSON, or a string has half of a surrogate pair.',
    }
  }
  if (isSignedEventTooLarge(text)) {
    return { ok: false, problem: 'too-large', message: 'The event is larger than 65,536 bytes.' }
  }
  const hashMatches = sameHash(statedHash(received), contentHash(received, rules))
  const signable = signableText(received, rules)
  const referenceHash = sha256Base64(signable)
  const pdu = pduOf(hashMatches ? value : redactEvent(value, rules), rules, referenceHash)
  const json = hashMatches ? text : (eventText(redactEvent(received, rules), rules) ?? text)
  const signatures = value['signatures'] as Signatures
  return { ok: true, pdu, json, signable, signatures, referenceHash, hashMatches }
}

function statedHash({ hashes }: JsonObject): string {
  return isObject(hashes) && typeof hashes['sha256'] === 'string' ? hashes['sha256'] : ''
}

function sameHash(stated: string, computed: string): boolean {
  if (stated === computed) return true
  const bytes = decodeBase64Tolerant(stated)
  return bytes !== undefined && encodeBase64(bytes) === computed
}

/** The parsed form of an event whose format was checked. */
export function pduOf(event: JsonObject, rules: RoomRules, referenceHash: string): Pdu {
  const eventId = rules.eventId === 'random' ? (event['event_id'] as EventId) : eventIdFromHash(referenceHash, rules)
  const type = event['type'] as string
  return {
    eventId,
    roomId: (event['room_id'] ?? `!${eventId.slice(1)}`) as RoomId,
    type,
    stateKey: event['state_key'] as string | undefined,
    sender: event['sender'] as UserId,
    content: event['content'] as JsonObject,
    depth: event['depth'] as number,
    originServerTs: event['origin_server_ts'] as number,
    prevEvents: edgesOf(event, 'prev_events', rules),
    authEvents: edgesOf(event, 'auth_events', rules),
    redacts: type === 'm.room.redaction' ? redactsOf(event, rules) : undefined,
  }
}

function edgesOf(event: JsonObject, key: 'prev_events' | 'auth_events', rules: RoomRules): EventId[] {
  if (!rules.edgesAsPairs) return [...(event[key] as unknown as readonly EventId[])]
  return (event[key] as unknown as readonly (readonly [EventId, JsonObject])[]).map(([eventId]) => eventId)
}

function redactsOf(event: JsonObject, rules: RoomRules): EventId | undefined {
  const from = rules.redactsInContent ? (event['content'] as JsonObject) : event
  const redacts = Object.hasOwn(from, 'redacts') ? from['redacts'] : undefined
  return typeof redacts === 'string' ? parseEventId(redacts) : undefined
}
