/** Which servers a room lets take part. <https://spec.matrix.org/v1.19/client-server-api/#mroomserver_acl> */
import type { ServerName } from '../ids/brand.ts'
import { ID_BYTES_MAX } from '../ids/common.ts'
import { serverAddress } from '../ids/server-name.ts'
import type { JsonObject, JsonValue } from '../json/value.ts'
import { foldAsciiCase } from '../text/glob.ts'
import { compileGlobSet, type GlobSet } from './glob-set.ts'

/** A server ACL made ready: compile it once for each event, ask it for each request. */
export type ServerAcl = { readonly allows: (server: ServerName) => boolean }

/**
 * `content` is that of the m.room.server_acl event in the room's current state; undefined if there is none, so that all may come.
 * Entries that are no strings match nothing, and a list that is none is empty.
 */
export function compileServerAcl(content: JsonObject | undefined): ServerAcl {
  if (content === undefined) return { allows: () => true }
  const allow = patternsIn(member(content, 'allow'))
  const deny = patternsIn(member(content, 'deny'))
  const admitsLiterals = member(content, 'allow_ip_literals') !== false
  const allows = (server: ServerName): boolean => {
    const { host, kind } = serverAddress(server)
    if (kind !== 'dns' && !admitsLiterals) return false
    // Brackets belong to the name of an IPv6 server, and patterns are written with them.
    const name = foldAsciiCase(kind === 'ipv6' ? `[${host}]` : host)
    return !deny.matches(name) && allow.matches(name)
  }
  return { allows }
}

/** As `compileServerAcl`, for a single question. */
export function isServerAllowed(content: JsonObject | undefined, server: ServerName): boolean {
  return compileServerAcl(content).allows(server)
}

function patternsIn(list: JsonValue | undefined): GlobSet {
  const texts = Array.isArray(list) ? list.filter((entry) => typeof entry === 'string') : []
  return compileGlobSet(new Set(texts.map((text) => foldAsciiCase(text))), ID_BYTES_MAX)
}

function member(content: JsonObject, key: string): JsonValue | undefined {
  return Object.hasOwn(content, key) ? content[key] : undefined
}
