/** Event ids of every room version. <https://spec.matrix.org/v1.19/appendices/#event-ids> */
import { fitsUtf8 } from '../text/utf8.ts'
import type { EventId } from './brand.ts'
import { ID_BYTES_MAX, isDomainId } from './common.ts'

const STANDARD_HASH = /^\$[A-Za-z0-9+/]{43}$/
const URL_SAFE_HASH = /^\$[A-Za-z0-9_-]{43}$/
// oxlint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u001f\u007f]/

/** `domain`: versions 1 and 2, `base64`: version 3, `base64url`: version 4 and later. */
export type EventIdFormat = 'domain' | 'base64' | 'base64url'

/**
 * Any `$` and something behind it: clients are told to treat event ids as opaque, so one that no room version makes is an event
 * that does not exist and no bad request. What belongs into an event of a certain version is asked of `hasEventIdFormat`.
 */
export function parseEventId(raw: string): EventId | undefined {
  if (raw[0] !== '$' || raw.length < 2 || !fitsUtf8(raw, ID_BYTES_MAX)) return undefined
  return raw.isWellFormed() && !CONTROL.test(raw) ? (raw as EventId) : undefined
}

export function hasEventIdFormat(eventId: string, format: EventIdFormat): boolean {
  if (format === 'domain') return isDomainId(eventId, '$')
  return (format === 'base64' ? STANDARD_HASH : URL_SAFE_HASH).test(eventId)
}
