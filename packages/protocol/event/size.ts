/** The size limit of events. <https://spec.matrix.org/v1.19/client-server-api/#size-limits> */
import type { ServerName } from '../ids/brand.ts'
import { SPEC_LIMITS } from '../limits.ts'
import { fitsUtf8, utf8Length } from '../text/utf8.ts'

/** The longest id of a signing key, which is not chosen yet when an event is built. */
const KEY_ID_BYTES_MAX = 136
const SIGNATURE_BASE64_BYTES = 86
const SIGNATURE_SYNTAX_BYTES = '"signatures":{"":{"":""}},'.length

/** Whether an event that is still unsigned leaves too little room for the signature of its server. */
export function isEventTooLarge({ json }: { readonly json: string }, serverName: ServerName): boolean {
  const signature = SIGNATURE_SYNTAX_BYTES + utf8Length(serverName) + KEY_ID_BYTES_MAX + SIGNATURE_BASE64_BYTES
  return !fitsUtf8(json, SPEC_LIMITS.eventBytesMax - signature)
}

/** Whether a complete event, signatures and all, is too large. */
export function isSignedEventTooLarge(json: string): boolean {
  return !fitsUtf8(json, SPEC_LIMITS.eventBytesMax)
}
