/** The auth chain that another server has, held against what is known here. <https://spec.matrix.org/v1.19/server-server-api/#retrieving-event-authorisation-information> */
import { matrixError } from '@holdfast/protocol/errors'
import { parsePdu } from '@holdfast/protocol/event/format'
import type { EventId } from '@holdfast/protocol/ids/brand'
import { isObject, type JsonValue } from '@holdfast/protocol/json/value'
import type { RoomRules } from '@holdfast/protocol/room-version/rules'
import type { Homeserver } from '../../homeserver.ts'
import { EVENT_FLAGS } from '../../storage/events.ts'
import type { RoomHead } from '../room-heads.ts'
import { rowsOf } from './known-event.ts'
import { openPace } from './pace.ts'

export type AuthComparison = {
  /** Events that are not known here. */
  readonly missing: readonly EventId[]
  readonly rejects: Readonly<Record<EventId, { readonly reason: 'auth_error' }>>
}

const COMPARED_EVENTS_MAX = 1_000
const HASHES_PER_SLICE = 40

/** Nothing of the chain is taken in: events come by other ways, where they are checked. @throws {MatrixError} M_TOO_LARGE */
export async function compareAuth(
  deps: Pick<Homeserver, 'db'>,
  head: Pick<RoomHead, 'roomNid' | 'rules'>,
  theirs: readonly JsonValue[],
): Promise<AuthComparison> {
  if (theirs.length > COMPARED_EVENTS_MAX) {
    throw matrixError('M_TOO_LARGE', `At most ${COMPARED_EVENTS_MAX} events are compared at once.`)
  }
  const pace = openPace(HASHES_PER_SLICE)
  const ids = new Set<EventId>()
  for (const event of theirs) {
    const eventId = idOf(event, head.rules)
    if (eventId !== undefined) ids.add(eventId)
    await pace.spent(1)
  }
  const rows = (await rowsOf(deps, [...ids])).filter(({ room_nid }) => room_nid === head.roomNid)
  const rejected = rows.filter(({ flags }) => (flags & EVENT_FLAGS.rejected) !== 0)
  const known = new Set<string>(rows.map(({ event_id }) => event_id))
  return {
    missing: [...ids].filter((eventId) => !known.has(eventId)),
    rejects: Object.fromEntries(rejected.map(({ event_id }) => [event_id, { reason: 'auth_error' }])),
  }
}

/** undefined for what is no event of this room version. */
function idOf(event: JsonValue, rules: RoomRules): EventId | undefined {
  const parsed = isObject(event) ? parsePdu(event, rules) : undefined
  return parsed?.ok === true ? parsed.pdu.eventId : undefined
}
