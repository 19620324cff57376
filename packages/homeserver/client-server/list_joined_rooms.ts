/** GET /joined_rooms. <https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3joined_rooms> */
import * as list_joined_rooms from '@holdfast/api/generated/client-server/list_joined_rooms'
import { route } from './route.ts'

export const getJoinedRooms = route(list_joined_rooms.getJoinedRooms, async ({ deps, requester }) => {
  const rooms = [...(await deps.memberships.of(requester.userNid)).values()]
  const joined = rooms.filter(({ membership }) => membership === 'join')
  const identities = await Promise.all(joined.map(({ roomNid }) => deps.events.room(roomNid)))
  return { joined_rooms: identities.map(({ roomId }) => roomId) }
})
