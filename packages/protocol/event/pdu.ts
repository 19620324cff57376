/** The parsed form of an event as the rules see it, one shape for every room version. */
import type { EventId, RoomId, UserId } from '../ids/brand.ts'
import type { JsonObject } from '../json/value.ts'

/**
 * A persistent data unit. Format differences of room versions 1 and 2 (event ids inside, edges as pairs with hashes) are
 * gone once an event is a `Pdu`; the wire form is kept beside it where it is needed.
 */
export type Pdu = {
  readonly eventId: EventId
  /** In room version 12 the create event carries no room_id on the wire; here it always has it. */
  readonly roomId: RoomId
  readonly type: string
  /** undefined for message events. */
  readonly stateKey: string | undefined
  readonly sender: UserId
  readonly content: JsonObject
  readonly depth: number
  readonly originServerTs: number
  readonly prevEvents: readonly EventId[]
  readonly authEvents: readonly EventId[]
  /** The top-level `redacts` (versions 1 to 10) or `content.redacts` (11 and later) of an m.room.redaction. */
  readonly redacts: EventId | undefined
}
