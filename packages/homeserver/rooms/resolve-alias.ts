/** From an alias to the room it leads to. */
import { matrixError } from '@holdfast/protocol/errors'
import type { RoomAlias, RoomId } from '@holdfast/protocol/ids/brand'
import { serverNameOf } from '@holdfast/protocol/ids/common'
import type { Homeserver } from '../homeserver.ts'
import { aliasRow } from '../storage/aliases.ts'

type AliasDeps = Pick<Homeserver, 'db' | 'events' | 'serverName'>

/** @throws {MatrixError} M_NOT_FOUND */
export async function resolveAlias(deps: AliasDeps, alias: RoomAlias): Promise<RoomId> {
  const row = serverNameOf(alias) === deps.serverName ? await aliasRow(deps.db, alias) : undefined
  if (row === undefined) throw matrixError('M_NOT_FOUND', `The alias ${alias} leads nowhere.`)
  return (await deps.events.room(row.room_nid)).roomId
}

/** @throws {MatrixError} M_NOT_FOUND for an alias that leads nowhere */
export async function roomIdOf(deps: AliasDeps, idOrAlias: RoomId | RoomAlias): Promise<RoomId> {
  return isAlias(idOrAlias) ? resolveAlias(deps, idOrAlias) : idOrAlias
}

function isAlias(idOrAlias: RoomId | RoomAlias): idOrAlias is RoomAlias {
  return idOrAlias.startsWith('#')
}
