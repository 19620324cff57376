/** Queries about what is ours: aliases and profiles. <https://spec.matrix.org/v1.19/server-server-api/#querying-for-information> */
import * as queries from '@holdfast/api/generated/server-server/query'
import { matrixError, type MatrixError } from '@holdfast/protocol/errors'
import { serverNameOf } from '@holdfast/protocol/ids/common'
import { parseRoomAlias } from '@holdfast/protocol/ids/room-alias'
import type { JsonObject } from '@holdfast/protocol/json/value'
import { loadProfile } from '../accounts/profile.ts'
import { resolveOwnAlias } from '../rooms/resolve-alias.ts'
import { accountOf } from '../storage/accounts.ts'
import { federationRoute } from './route.ts'

/** GET /_matrix/federation/v1/query/directory */
export const queryRoomDirectory = federationRoute(queries.queryRoomDirectory, async ({ deps, query }) => {
  const alias = parseRoomAlias(query.room_alias)
  if (alias === undefined) throw matrixError('M_INVALID_PARAM', '`room_alias` must be a room alias.')
  // Of an alias of another server that one has to be asked, or we would be made to ask for whoever asks us.
  if (serverNameOf(alias) !== deps.serverName) throw matrixError('M_NOT_FOUND', 'The alias is not one of this server.')
  const { roomId, servers } = await resolveOwnAlias(deps, alias)
  return { room_id: roomId, servers }
})

/** GET /_matrix/federation/v1/query/profile */
export const queryProfile = federationRoute(queries.queryProfile, async ({ deps, query }) => {
  // Somebody else's user is answered as one who does not exist, whether or not we have heard of them.
  if (serverNameOf(query.user_id) !== deps.serverName) throw noUser()
  const userNid = await deps.dictionary.userNid(query.user_id)
  if (userNid === undefined || (await accountOf(deps.db, userNid)) === undefined) throw noUser()
  const fields = publicFields((await loadProfile(deps, userNid)).fields)
  if (query.field === undefined) return fields
  return Object.hasOwn(fields, query.field) ? { [query.field]: fields[query.field] } : {}
})

/** GET /_matrix/federation/v1/query/{queryType} */
export const queryInfo = federationRoute(queries.queryInfo, async () => {
  throw matrixError('M_UNRECOGNIZED', 'This server answers no queries of this type.')
})

function noUser(): MatrixError {
  return matrixError('M_NOT_FOUND', 'There is no such user here.')
}

/** Other servers take an avatar to be a media URI, which clients may set to anything. */
function publicFields({ avatar_url: avatar, ...fields }: JsonObject): JsonObject {
  return typeof avatar === 'string' && avatar.startsWith('mxc://') ? { ...fields, avatar_url: avatar } : fields
}
