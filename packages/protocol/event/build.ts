/** New events of this server: text, hashes and id. Signing comes later, in `sign.ts`, as the id does not depend on it. */
import type { EventId, RoomId, ServerName, UserId } from '../ids/brand.ts'
import { parseEventId } from '../ids/event-id.ts'
import { canonicalJson } from '../json/canonical.ts'
import type { JsonObject } from '../json/value.ts'
import { SPEC_LIMITS } from '../limits.ts'
import type { RoomRules } from '../room-version/rules.ts'
import { sha256Base64 } from '../signing/hash.ts'
import { eventIdFromHash } from './hash.ts'
import type { Pdu } from './pdu.ts'
import { redactContent } from './redact.ts'

export type EventDraft = {
  readonly type: string
  readonly stateKey?: string | undefined
  readonly sender: UserId
  /** Only values that canonical JSON can say, which `isCanonicalValue` tells; building throws on others. */
  readonly content: JsonObject
  readonly originServerTs: number
  /** What an m.room.redaction redacts; it is put where the room version wants it. */
  readonly redacts?: EventId | undefined
}

export type EdgeRef = {
  readonly eventId: EventId
  /** Unpadded base64, or '' where it is not known: no rule asks for it. Looked at in room versions 1 and 2 only. */
  readonly referenceHash: string
}

export type BuildEventInput = {
  readonly rules: RoomRules
  /** undefined for the create event of a room whose id is made of it. */
  readonly roomId: RoomId | undefined
  readonly draft: EventDraft
  readonly prevEvents: readonly EdgeRef[]
  readonly authEvents: readonly EdgeRef[]
  readonly depth: number
  /** The server that makes the event: its `origin`, and the domain of its id, in room versions 1 and 2. */
  readonly serverName: ServerName
  /** Unique on this server; needed in room versions 1 and 2, where ids are not hashes. */
  readonly eventIdLocalpart?: string | undefined
}

export type BuiltEvent = {
  readonly pdu: Pdu
  /** The event as it goes to other servers, in canonical JSON with its hashes, without signatures. */
  readonly json: string
  /** The text that a signature covers. */
  readonly signable: string
  /** Where in `json` the member `"signatures":{},` belongs. */
  readonly signaturesAt: number
  /** Unpadded base64. */
  readonly referenceHash: string
}

export function buildEvent(input: BuildEventInput): BuiltEvent {
  const { rules, draft } = input
  const content = contentOf(rules, draft)
  const depth = Math.min(input.depth, SPEC_LIMITS.depthMax)
  const ownId = rules.eventId === 'random' ? randomEventId(input) : undefined
  const text = canonicalPieces(input, { content: canonicalJson(content), depth, ownId })
  const hashes = `,"hashes":{"sha256":"${sha256Base64(text.head + text.content + text.middle + text.tail + text.end)}"}`
  const beforeSignatures = text.head + text.content + text.middle + hashes + text.tail
  const signable =
    text.head +
    redactedContent(rules, draft.type, content, text.content) +
    text.middle +
    hashes +
    text.keptTail +
    text.end
  const referenceHash = sha256Base64(signable)
  const eventId = ownId ?? eventIdFromHash(referenceHash, rules)
  return {
    pdu: pduOf(input, { content, depth, eventId }),
    json: beforeSignatures + text.end,
    signable,
    signaturesAt: beforeSignatures.length + 1,
    referenceHash,
  }
}

function contentOf(rules: RoomRules, draft: EventDraft): JsonObject {
  if (draft.redacts === undefined || !rules.redactsInContent) return draft.content
  return { ...draft.content, redacts: draft.redacts }
}

/** Domain: the server of the sender, which is also the server that signs. */
function randomEventId({ eventIdLocalpart, serverName }: BuildEventInput): EventId {
  const eventId = eventIdLocalpart === undefined ? undefined : parseEventId(`$${eventIdLocalpart}:${serverName}`)
  if (eventId === undefined) throw new TypeError('an event of this room version needs an eventIdLocalpart')
  return eventId
}

type Pieces = {
  /** Up to the content. */
  readonly head: string
  readonly content: string
  /** Between content and hashes. */
  readonly middle: string
  /** Between hashes and signatures; `keptTail` is what redaction leaves of it. */
  readonly tail: string
  readonly keptTail: string
  /** After the signatures. */
  readonly end: string
}

/** The members of an event are known, and so is their order: only the content needs the general writer. */
function canonicalPieces(
  { rules, draft, roomId, prevEvents, authEvents, serverName }: BuildEventInput,
  { content, depth, ownId }: { content: string; depth: number; ownId: EventId | undefined },
): Pieces {
  const eventId = ownId === undefined ? '' : `,"event_id":${JSON.stringify(ownId)}`
  const origin = rules.originField ? `"origin":${JSON.stringify(serverName)},` : ''
  const beforeRedacts = `,${origin}"origin_server_ts":${integerText(draft.originServerTs)},"prev_events":${edgesText(rules, prevEvents)}`
  const redacts =
    draft.redacts === undefined || rules.redactsInContent ? '' : `,"redacts":${JSON.stringify(draft.redacts)}`
  const room = roomId === undefined ? '' : `,"room_id":${JSON.stringify(roomId)}`
  const afterRedacts = `${room},"sender":${JSON.stringify(draft.sender)}`
  const stateKey = draft.stateKey === undefined ? '' : `,"state_key":${stringText(draft.stateKey)}`
  return {
    head: `{"auth_events":${edgesText(rules, authEvents)},"content":`,
    content,
    middle: `,"depth":${integerText(depth)}${eventId}`,
    tail: beforeRedacts + redacts + afterRedacts,
    keptTail: beforeRedacts + afterRedacts,
    end: `${stateKey},"type":${stringText(draft.type)}}`,
  }
}

function redactedContent(rules: RoomRules, type: string, content: JsonObject, text: string): string {
  const keys = rules.redaction.contentKeys.get(type)
  if (keys === undefined) return '{}'
  return keys === 'all' ? text : canonicalJson(redactContent(rules, type, content))
}

function edgesText(rules: RoomRules, edges: readonly EdgeRef[]): string {
  const texts = edges.map(({ eventId, referenceHash }) => {
    const id = JSON.stringify(eventId)
    if (!rules.edgesAsPairs) return id
    return referenceHash === '' ? `[${id},{}]` : `[${id},{"sha256":${JSON.stringify(referenceHash)}}]`
  })
  return `[${texts.join(',')}]`
}

function integerText(value: number): string {
  if (!Number.isSafeInteger(value)) throw new TypeError(`${value} is not an integer of canonical JSON`)
  return String(value)
}

function stringText(value: string): string {
  if (!value.isWellFormed()) throw new TypeError('a string contains half of a surrogate pair')
  return JSON.stringify(value)
}

function pduOf(
  { rules, draft, roomId, prevEvents, authEvents }: BuildEventInput,
  { content, depth, eventId }: { content: JsonObject; depth: number; eventId: EventId },
): Pdu {
  return {
    eventId,
    roomId: roomId ?? roomIdOf(rules, eventId),
    type: draft.type,
    stateKey: draft.stateKey,
    sender: draft.sender,
    content,
    depth,
    originServerTs: draft.originServerTs,
    prevEvents: prevEvents.map(idOf),
    authEvents: authEvents.map(idOf),
    redacts: draft.type === 'm.room.redaction' ? redactsOf(rules, draft, content) : undefined,
  }
}

function roomIdOf(rules: RoomRules, createEventId: EventId): RoomId {
  if (!rules.roomIdIsCreateHash) throw new TypeError('an event of this room version needs a room id')
  return `!${createEventId.slice(1)}` as RoomId
}

function redactsOf(rules: RoomRules, draft: EventDraft, content: JsonObject): EventId | undefined {
  if (!rules.redactsInContent) return draft.redacts
  return typeof content['redacts'] === 'string' ? parseEventId(content['redacts']) : undefined
}

function idOf(edge: EdgeRef): EventId {
  return edge.eventId
}
