/** The event format of each room version, field by field. <https://spec.matrix.org/v1.19/rooms/v12/#event-format> */
import { hasEventIdFormat, parseEventId } from '../ids/event-id.ts'
import type { EventIdFormat } from '../ids/event-id.ts'
import { isHashRoomId, parseRoomId } from '../ids/room-id.ts'
import { parseUserId } from '../ids/user-id.ts'
import { isObject } from '../json/value.ts'
import type { JsonObject, JsonValue } from '../json/value.ts'
import { SPEC_LIMITS } from '../limits.ts'
import type { RoomRules } from '../room-version/rules.ts'
import { fitsUtf8 } from '../text/utf8.ts'

export type FormatProblem = {
  readonly problem: 'malformed' | 'bad-id' | 'too-long' | 'too-many-edges' | 'not-canonical' | 'too-large'
  /** A sentence for people. */
  readonly message: string
}

const { idBytesMax, prevEventsMax, authEventsMax, depthMax } = SPEC_LIMITS

type Check = (value: JsonValue | undefined, rules: RoomRules, event: JsonObject) => FormatProblem | undefined

/** In the order in which they are looked at; every field of the format has one. */
const CHECKS: readonly (readonly [field: string, check: Check])[] = [
  ['type', (value, rules) => nameProblem('type', value, rules)],
  ['state_key', (value, rules) => (value === undefined ? undefined : nameProblem('state_key', value, rules))],
  ['sender', (value) => idProblem('sender', value, parseUserId)],
  ['room_id', roomIdProblem],
  ['content', (value) => objectProblem('content', value)],
  ['depth', depthProblem],
  [
    'origin_server_ts',
    (value) => (Number.isSafeInteger(value) ? undefined : malformed('origin_server_ts must be an integer.')),
  ],
  ['hashes', hashesProblem],
  ['signatures', signaturesProblem],
  ['unsigned', (value) => (value === undefined ? undefined : objectProblem('unsigned', value))],
  ['event_id', eventIdProblem],
  ['redacts', redactsProblem],
  ['prev_events', (value, rules) => edgesProblem('prev_events', value, rules, prevEventsMax)],
  ['auth_events', (value, rules) => edgesProblem('auth_events', value, rules, authEventsMax)],
]

/** The first thing that is wrong with the form of an event; undefined if nothing is. */
export function formatProblem(event: JsonObject, rules: RoomRules): FormatProblem | undefined {
  for (const [field, check] of CHECKS) {
    const problem = check(Object.hasOwn(event, field) ? event[field] : undefined, rules, event)
    if (problem !== undefined) return problem
  }
  return undefined
}

function malformed(message: string): FormatProblem {
  return { problem: 'malformed', message }
}

function textProblem(field: string, value: JsonValue | undefined): FormatProblem | undefined {
  if (typeof value !== 'string') return malformed(`${field} must be a string.`)
  if (!fitsUtf8(value, idBytesMax)) {
    return { problem: 'too-long', message: `${field} must not be longer than ${idBytesMax} bytes.` }
  }
  return undefined
}

function nameProblem(field: string, value: JsonValue | undefined, rules: RoomRules): FormatProblem | undefined {
  // A character is one unit or two, so that longer text need not be counted.
  const mayFit = rules.lengthsInCharacters && typeof value === 'string' && value.length <= 2 * idBytesMax
  return mayFit && Array.from(value).length <= idBytesMax ? undefined : textProblem(field, value)
}

function idProblem(
  field: string,
  value: JsonValue | undefined,
  parse: (raw: string) => string | undefined,
): FormatProblem | undefined {
  const problem = textProblem(field, value)
  if (problem !== undefined) return problem
  return parse(value as string) === undefined
    ? { problem: 'bad-id', message: `${field} is not a valid ID.` }
    : undefined
}

function objectProblem(field: string, value: JsonValue | undefined): FormatProblem | undefined {
  return isObject(value) ? undefined : malformed(`${field} must be an object.`)
}

/** Beyond 2^53 no number can be read exactly here, so a depth there is refused in every room version, as other servers do. */
function depthProblem(value: JsonValue | undefined): FormatProblem | undefined {
  const isDepth = Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= depthMax
  return isDepth ? undefined : malformed('depth must be an integer between 0 and 2^53 - 1.')
}

/**
 * Without a hash for a room id every event needs one with a server name. With it, the create event has none at all, but one
 * that has is well-formed and rejected later, by name (rule 1.2).
 */
function roomIdProblem(value: JsonValue | undefined, rules: RoomRules, event: JsonObject): FormatProblem | undefined {
  if (!rules.roomIdIsCreateHash) return idProblem('room_id', value, parseRoomId)
  if (event['type'] === 'm.room.create')
    return value === undefined ? undefined : idProblem('room_id', value, parseRoomId)
  return idProblem('room_id', value, parseHashRoomId)
}

function parseHashRoomId(raw: string): string | undefined {
  return isHashRoomId(raw) ? raw : undefined
}

function hashesProblem(value: JsonValue | undefined): FormatProblem | undefined {
  return isObject(value) && typeof value['sha256'] === 'string' ? undefined : malformed('hashes must contain a sha256.')
}

function signaturesProblem(value: JsonValue | undefined): FormatProblem | undefined {
  const isWellFormed = isObject(value) && Object.values(value).every(areStrings)
  return isWellFormed ? undefined : malformed('signatures must be an object of objects of strings.')
}

function areStrings(value: JsonValue): boolean {
  return isObject(value) && Object.values(value).every((entry) => typeof entry === 'string')
}

/** From room version 3 on an event does not carry its id; a member of this name then has no meaning. */
function eventIdProblem(value: JsonValue | undefined, rules: RoomRules): FormatProblem | undefined {
  if (rules.eventId !== 'random') return undefined
  return idProblem('event_id', value, (raw) => (hasEventIdFormat(raw, 'domain') ? raw : undefined))
}

function redactsProblem(value: JsonValue | undefined, rules: RoomRules): FormatProblem | undefined {
  if (value === undefined || rules.redactsInContent || typeof value === 'string') return undefined
  return malformed('redacts must be a string.')
}

const ID_FORMATS: Readonly<Record<RoomRules['eventId'], EventIdFormat>> = {
  random: 'domain',
  hash: 'base64',
  'url-safe-hash': 'base64url',
}

function edgesProblem(
  field: string,
  value: JsonValue | undefined,
  rules: RoomRules,
  max: number,
): FormatProblem | undefined {
  if (!Array.isArray(value)) return malformed(`${field} must be a list.`)
  if (value.length > max)
    return { problem: 'too-many-edges', message: `${field} must not have more than ${max} entries.` }
  const isWellFormed = rules.edgesAsPairs ? isPair : (edge: JsonValue): boolean => isIdOf(edge, rules)
  return value.every(isWellFormed) ? undefined : malformed(`${field} has an entry that is not a reference to an event.`)
}

function isIdOf(edge: JsonValue, rules: RoomRules): boolean {
  return typeof edge === 'string' && hasEventIdFormat(edge, ID_FORMATS[rules.eventId])
}

/** The hash in the pair is not compared with anything: the signatures of the event that it names speak for that event. */
function isPair(edge: JsonValue): boolean {
  if (!Array.isArray(edge) || edge.length !== 2) return false
  const [eventId, hashes]: readonly (JsonValue | undefined)[] = edge
  return typeof eventId === 'string' && parseEventId(eventId) !== undefined && isObject(hashes)
}
