/** Content hash, reference hash and event id. <https://spec.matrix.org/v1.19/server-server-api/#calculating-the-reference-hash-for-an-event> */
import type { EventId } from '../ids/brand.ts'
import { parseEventId } from '../ids/event-id.ts'
import { emptyObject } from '../json/value.ts'
import type { JsonObject, JsonValue } from '../json/value.ts'
import type { RoomRules } from '../room-version/rules.ts'
import { sha256Base64 } from '../signing/hash.ts'
import { redactEvent } from './redact.ts'
import { eventText } from './text.ts'

/**
 * Unpadded base64 of the hash over the complete event, which stands in its `hashes`.
 * @throws {TypeError} if the room version does not allow one of the event's values, which `parsePdu` checks before
 */
export function contentHash(event: JsonObject, rules: RoomRules): string {
  return sha256Base64(existing(eventText(without(event, ['hashes', 'signatures', 'unsigned']), rules)))
}

/** Unpadded base64 of the hash over what redaction keeps. Throws as `contentHash` does. */
export function referenceHash(event: JsonObject, rules: RoomRules): string {
  return sha256Base64(signableText(event, rules))
}

/** The text that signatures and the reference hash cover: the redacted event without its signatures. */
export function signableText(event: JsonObject, rules: RoomRules): string {
  return existing(eventText(without(redactEvent(event, rules), ['signatures']), rules))
}

/** The event's id: its own `event_id` in the first two room versions, later made of its reference hash. */
export function eventIdOf(event: JsonObject, rules: RoomRules): EventId | undefined {
  if (rules.eventId === 'random') {
    return typeof event['event_id'] === 'string' ? parseEventId(event['event_id']) : undefined
  }
  return eventIdFromHash(referenceHash(event, rules), rules)
}

/** The event id that a reference hash (unpadded base64) gives from room version 3 on. */
export function eventIdFromHash(hash: string, rules: RoomRules): EventId {
  return `$${rules.eventId === 'url-safe-hash' ? urlSafe(hash) : hash}` as EventId
}

function urlSafe(base64: string): string {
  return base64.replaceAll('+', '-').replaceAll('/', '_')
}

/** A copy without some of the top-level members. */
export function without(event: JsonObject, dropped: readonly string[]): JsonObject {
  const copy = emptyObject()
  for (const key of Object.keys(event)) if (!dropped.includes(key)) copy[key] = event[key] as JsonValue
  return copy
}

function existing(text: string | undefined): string {
  if (text === undefined) throw new TypeError('an event of this room version cannot hold these values')
  return text
}
