/** GET /_matrix/client/v1/room_summary/{roomIdOrAlias}. <https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1room_summaryroomidoralias> */
import * as operations from '@holdfast/api/generated/client-server/room_summary'
import { roomIdOf } from '../rooms/resolve-alias.ts'
import { oneRoom } from '../spaces/one-room.ts'
import { publicRoute } from './route.ts'

export const getRoomSummary = publicRoute(
  operations.getRoomSummary,
  async ({ deps, requester, params, query: { via } }) =>
    oneRoom(deps, requester, await roomIdOf(deps, params.roomIdOrAlias, via)),
)
