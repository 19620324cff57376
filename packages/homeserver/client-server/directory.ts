/** /directory/room/{roomAlias} and /rooms/{roomId}/aliases. <https://spec.matrix.org/v1.19/client-server-api/#room-aliases> */
import * as directory from '@holdfast/api/generated/client-server/directory'
import { createAlias, removeAlias } from '../directory/aliases.ts'
import { resolveAlias } from '../rooms/resolve-alias.ts'
import { notInRoom } from '../rooms/room-access.ts'
import { roomView } from '../rooms/room-view.ts'
import { aliasesOfRoom } from '../storage/aliases.ts'
import { publicRoute, route } from './route.ts'

export const setRoomAlias = route(directory.setRoomAlias, async ({ deps, requester, params, body }) => {
  await createAlias(deps, requester, { alias: params.roomAlias, roomId: body.room_id })
  return {}
})

export const getRoomIdByAlias = publicRoute(directory.getRoomIdByAlias, async ({ deps, params }) => {
  const { roomId, servers } = await resolveAlias(deps, params.roomAlias)
  return { room_id: roomId, servers }
})

export const deleteRoomAlias = route(directory.deleteRoomAlias, async ({ deps, requester, params }) => {
  await removeAlias(deps, requester, params.roomAlias)
  return {}
})

export const getLocalAliases = route(directory.getLocalAliases, async ({ deps, requester, params }) => {
  const { as, head } = await roomView(deps, requester, params.roomId)
  // The list is of today, which those who left do not see.
  if (as === 'former-member') throw notInRoom()
  return { aliases: await aliasesOfRoom(deps.db, head.roomNid) }
})
