/** References from new events to old ones, in the form the room version wants. */
import type { EdgeRef } from '@holdfast/protocol/event/build'
import { exactEvent } from '@holdfast/protocol/event/exact-json'
import { referenceHash } from '@holdfast/protocol/event/hash'
import type { RoomRules } from '@holdfast/protocol/room-version/rules'
import type { StoredEventRef } from './room-changes.ts'

/** Only versions 1 and 2 name the hash beside the id; in later ones the id is the hash. */
export function edgeRef(event: StoredEventRef, rules: RoomRules): EdgeRef {
  if (!rules.edgesAsPairs) return { eventId: event.pdu.eventId, referenceHash: '' }
  return {
    eventId: event.pdu.eventId,
    referenceHash: referenceHash(exactEvent(event.json, rules), rules),
  }
}
