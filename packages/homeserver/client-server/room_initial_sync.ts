/** GET /rooms/{roomId}/initialSync. <https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3roomsroomidinitialsync> */
import * as room_initial_sync from '@holdfast/api/generated/client-server/room_initial_sync'
import { decodeQuery } from '@holdfast/api/query'
import { awaitWhole } from '../rooms/incomplete/whole-head.ts'
import { snapshotOfRoom } from '../sync/old-sync.ts'
import { JsonText } from '@holdfast/service/http/reply'
import { route } from './route.ts'

const LIMIT_DEFAULT = 20
const LIMIT_MAX = 100

export const roomInitialSync = route(
  room_initial_sync.roomInitialSync,
  async ({ deps, requester, params, request }) => {
    await awaitWhole(deps, { userNid: requester.userNid, roomId: params.roomId })
    return new JsonText(await snapshotOfRoom(deps, requester, { roomId: params.roomId, limit: limitOf(request.query) }))
  },
)

/** Not in the specification, but as for GET /initialSync. */
function limitOf(query: string): number {
  const raw = decodeQuery(query).find(([name]) => name === 'limit')?.[1] ?? ''
  return /^[0-9]{1,9}$/.test(raw) ? Math.min(Number(raw), LIMIT_MAX) : LIMIT_DEFAULT
}
