/** The aliases that a room calls its own must lead to it. <https://spec.matrix.org/v1.19/client-server-api/#mroomcanonical_alias> */
import { matrixError } from '@holdfast/protocol/errors'
import { serverNameOf } from '@holdfast/protocol/ids/common'
import { parseRoomAlias } from '@holdfast/protocol/ids/room-alias'
import type { JsonObject, JsonValue } from '@holdfast/protocol/json/value'
import type { Homeserver } from '../homeserver.ts'
import { aliasRow } from '../storage/aliases.ts'
import { stateEventAt } from './current-state.ts'

type AliasDeps = Pick<Homeserver, 'db' | 'heads' | 'dictionary' | 'events' | 'serverName'>

/** Checks what is new in the content; what the room had before is left alone. @throws {MatrixError} M_INVALID_PARAM, M_BAD_ALIAS */
export async function checkCanonicalAlias(deps: AliasDeps, roomNid: number, content: JsonObject): Promise<void> {
  const head = await deps.heads.byNid(roomNid)
  const present = await stateEventAt(deps, head.state.map, { type: 'm.room.canonical_alias', stateKey: '' })
  const known = new Set(aliasesIn(present?.pdu.content ?? {}))
  for (const raw of aliasesIn(content)) {
    if (known.has(raw)) continue
    const alias = typeof raw === 'string' ? parseRoomAlias(raw) : undefined
    if (alias === undefined) throw matrixError('M_INVALID_PARAM', `${JSON.stringify(raw)} is not a room alias.`)
    const isLocal = serverNameOf(alias) === deps.serverName
    const row = isLocal ? await aliasRow(deps.db, alias) : undefined
    if (row?.room_nid !== roomNid) throw matrixError('M_BAD_ALIAS', `The alias ${alias} does not lead to this room.`)
  }
}

/** `alias` may be absent, null or empty: then the room has no main one. */
function aliasesIn(content: JsonObject): readonly JsonValue[] {
  const { alias, alt_aliases } = content
  const main = alias === undefined || alias === null || alias === '' ? [] : [alias]
  if (alt_aliases !== undefined && !Array.isArray(alt_aliases)) {
    throw matrixError('M_BAD_JSON', '`alt_aliases` must be a list.')
  }
  return [...main, ...((alt_aliases as readonly JsonValue[] | undefined) ?? [])]
}

/** Splits the content in what names aliases of this server, and what remains without it. */
export function localPart(
  { serverName }: Pick<Homeserver, 'serverName'>,
  content: JsonObject,
): { readonly local: JsonObject; readonly rest: JsonObject } {
  const { alias, alt_aliases: listed, ...others } = content
  const isLocal = (raw: JsonValue): boolean => {
    const parsed = typeof raw === 'string' ? parseRoomAlias(raw) : undefined
    return parsed !== undefined && serverNameOf(parsed) === serverName
  }
  const list: readonly JsonValue[] = Array.isArray(listed) ? listed : []
  const part = (wanted: boolean): JsonObject => {
    const some = list.filter((raw) => isLocal(raw) === wanted)
    return {
      ...(alias !== undefined && isLocal(alias) === wanted ? { alias } : {}),
      ...(some.length > 0 ? { alt_aliases: some } : {}),
    }
  }
  return { local: part(true), rest: { ...others, ...part(false) } }
}
