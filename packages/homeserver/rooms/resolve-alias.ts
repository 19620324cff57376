/** From an alias to the room it leads to. */
import { matrixError } from '@holdfast/protocol/errors'
import { parseRoomId } from '@holdfast/protocol/ids/room-id'
import { parseServerName } from '@holdfast/protocol/ids/server-name'
import type { RoomAlias, RoomId, ServerName } from '@holdfast/protocol/ids/brand'
import { serverNameOf } from '@holdfast/protocol/ids/common'
import type { JsonValue } from '@holdfast/protocol/json/value'
import { TIME_LIMITS } from '@holdfast/protocol/limits'
import { ask, part } from '../federation/remote-rooms/ask.ts'
import type { Homeserver } from '../homeserver.ts'
import { aliasRow } from '../storage/aliases.ts'
import { residentServers } from './resident-servers.ts'
import { tryServers } from './remote/try-servers.ts'

type AliasDeps = Pick<Homeserver, 'db' | 'events' | 'heads' | 'serverName' | 'federation'>

/** A room, and servers through which one gets there. */
export type FoundRoom = { readonly roomId: RoomId; readonly servers: readonly ServerName[] }

/** Servers that another server may name for an alias. */
const SERVERS_MAX = 100

/** @throws {MatrixError} M_NOT_FOUND, and 502 or 504 if the server of the alias does not answer */
export async function resolveAlias(deps: AliasDeps, alias: RoomAlias): Promise<FoundRoom> {
  const server = serverNameOf(alias)
  return server === deps.serverName ? resolveOwnAlias(deps, alias) : resolveRemoteAlias(deps, alias, server)
}

/** @throws {MatrixError} M_NOT_FOUND */
export async function resolveOwnAlias(deps: Omit<AliasDeps, 'federation'>, alias: RoomAlias): Promise<FoundRoom> {
  const row = await aliasRow(deps.db, alias)
  if (row === undefined) throw matrixError('M_NOT_FOUND', `The alias ${alias} leads nowhere.`)
  const { roomId } = await deps.events.room(row.room_nid)
  return { roomId, servers: await residentServers(deps, roomId) }
}

async function resolveRemoteAlias(deps: AliasDeps, alias: RoomAlias, server: ServerName): Promise<FoundRoom> {
  const answer = await tryServers([server], (one) =>
    ask(
      { client: deps.federation.client, server: one, urgent: true, deadlineMs: TIME_LIMITS.federationQueryMs },
      { method: 'GET', path: `/_matrix/federation/v1/query/directory?room_alias=${part(alias)}` },
    ),
  )
  const roomId = typeof answer['room_id'] === 'string' ? parseRoomId(answer['room_id']) : undefined
  if (roomId === undefined) throw matrixError('M_NOT_FOUND', `The alias ${alias} leads nowhere.`)
  const told = Array.isArray(answer['servers']) ? (answer['servers'] as readonly JsonValue[]) : []
  const servers = told.flatMap((name) => (typeof name === 'string' ? (parseServerName(name) ?? []) : []))
  return { roomId, servers: [...new Set([...servers, server])].slice(0, SERVERS_MAX) }
}

/**
 * The room, and besides `named` the servers that its alias tells.
 * @throws {MatrixError} M_NOT_FOUND for an alias that leads nowhere
 */
export async function roomIdOf(
  deps: AliasDeps,
  idOrAlias: RoomId | RoomAlias,
  named: readonly ServerName[] = [],
): Promise<FoundRoom> {
  if (!isAlias(idOrAlias)) return { roomId: idOrAlias, servers: named }
  const { roomId, servers } = await resolveAlias(deps, idOrAlias)
  return { roomId, servers: [...named, ...servers] }
}

function isAlias(idOrAlias: RoomId | RoomAlias): idOrAlias is RoomAlias {
  return idOrAlias.startsWith('#')
}
