/** PDUs read back from our own storage, where they were checked before they were written. */
import type { EventId, RoomId, UserId } from '@holdfast/protocol/ids/brand'
import type { Pdu } from '@holdfast/protocol/event/pdu'
import type { JsonObject } from '@holdfast/protocol/json/value'
import type { RoomRules } from '@holdfast/protocol/room-version/rules'

type StoredJson = {
  readonly type: string
  readonly state_key?: string
  readonly sender: UserId
  readonly content: JsonObject
  readonly depth: number
  readonly origin_server_ts: number
  readonly prev_events: readonly (EventId | readonly [EventId, object])[]
  readonly auth_events: readonly (EventId | readonly [EventId, object])[]
  readonly redacts?: EventId
}

export function storedPdu(stored: {
  readonly json: string
  readonly eventId: EventId
  readonly roomId: RoomId
  readonly rules: RoomRules
}): Pdu {
  const json = JSON.parse(stored.json) as StoredJson
  return {
    eventId: stored.eventId,
    roomId: stored.roomId,
    type: json.type,
    stateKey: json.state_key,
    sender: json.sender,
    content: json.content,
    depth: json.depth,
    originServerTs: json.origin_server_ts,
    prevEvents: edgeIds(json.prev_events),
    authEvents: edgeIds(json.auth_events),
    redacts: redactsOf(json, stored.rules),
  }
}

/** By their own form: of a room that nobody here is in the version may have been told otherwise since. */
function edgeIds(edges: StoredJson['prev_events']): readonly EventId[] {
  return edges.map((edge) => (typeof edge === 'string' ? edge : edge[0]))
}

function redactsOf(json: StoredJson, rules: RoomRules): EventId | undefined {
  if (json.type !== 'm.room.redaction') return undefined
  const redacts = rules.redactsInContent ? json.content['redacts'] : json.redacts
  return typeof redacts === 'string' ? (redacts as EventId) : undefined
}
