/** GET /rooms/{roomId}/initialSync. <https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3roomsroomidinitialsync> */
import * as room_initial_sync from '@holdfast/api/generated/client-server/room_initial_sync'
import { snapshotOfRoom } from '../sync/old-sync.ts'
import { JsonText } from './reply.ts'
import { route } from './route.ts'

const LIMIT = 20

export const roomInitialSync = route(room_initial_sync.roomInitialSync, async ({ deps, requester, params }) => {
  return new JsonText(await snapshotOfRoom(deps, requester, { roomId: params.roomId, limit: LIMIT }))
})
