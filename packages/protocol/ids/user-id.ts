/** User ids, in their current and their historical grammar. <https://spec.matrix.org/v1.19/appendices/#user-identifiers> */
import type { ServerName, UserId } from './brand.ts'
import { isDomainId, localpartOf } from './common.ts'

const STRICT_LOCALPART = /^[a-z0-9._=\-/+]+$/
const COMPLIANT_LOCALPART = /^[\u0021-\u007e]+$/

/** Accepts the historical grammar too, as every server must: rooms have members whose ids follow it. */
export function parseUserId(raw: string): UserId | undefined {
  return isDomainId(raw, '@') ? (raw as UserId) : undefined
}

/** Whether the id follows the current grammar, which ids that we give out must do. */
export function isStrictUserId(userId: UserId): boolean {
  return STRICT_LOCALPART.test(localpartOf(userId))
}

/** Whether the id may be shown to clients outside of events: a localpart of printable ASCII. */
export function isCompliantUserId(userId: UserId): boolean {
  return COMPLIANT_LOCALPART.test(localpartOf(userId))
}

/** The user id of a localpart on a server, undefined when it would be no user id (a colon, NUL, or too long). */
export function userIdFromLocalpart({
  localpart,
  serverName,
}: {
  readonly localpart: string
  readonly serverName: ServerName
}): UserId | undefined {
  return localpart.includes(':') ? undefined : parseUserId(`@${localpart}:${serverName}`)
}

const utf8 = new TextEncoder()

/** Maps any name to a strict localpart: ASCII lower case, every other byte as `=` and two hex digits. */
export function mapToLocalpart(name: string): string {
  let localpart = ''
  for (const byte of utf8.encode(name)) localpart += mapByte(byte)
  return localpart
}

function mapByte(byte: number): string {
  const character = String.fromCharCode(byte).replace(/[A-Z]/, (letter) => letter.toLowerCase())
  // `=` marks escapes, so it is escaped itself.
  return character !== '=' && STRICT_LOCALPART.test(character) ? character : `=${byte.toString(16).padStart(2, '0')}`
}
