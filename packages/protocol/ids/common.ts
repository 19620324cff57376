/** What user ids, room ids and aliases share: sigil, localpart, server name, 255 bytes. <https://spec.matrix.org/v1.19/appendices/#common-identifier-format> */
import { fitsUtf8 } from '../text/utf8.ts'
import type { RoomAlias, ServerName, UserId } from './brand.ts'
import { parseServerName } from './server-name.ts'

export const ID_BYTES_MAX = 255

/** Whether `raw` is `sigil localpart : server name`. The localpart may be empty and hold anything but `:`, NUL and half pairs. */
export function isDomainId(raw: string, sigil: '@' | '!' | '#' | '$'): boolean {
  if (raw[0] !== sigil || !fitsUtf8(raw, ID_BYTES_MAX)) return false
  const colon = raw.indexOf(':')
  if (colon === -1 || parseServerName(raw.slice(colon + 1)) === undefined) return false
  return raw.isWellFormed() && !raw.includes('\0')
}

/** The server that gave out the id. */
export function serverNameOf(id: UserId | RoomAlias): ServerName {
  return id.slice(id.indexOf(':') + 1) as ServerName
}

/** What stands between sigil and server name. */
export function localpartOf(id: UserId | RoomAlias): string {
  return id.slice(1, id.indexOf(':'))
}
