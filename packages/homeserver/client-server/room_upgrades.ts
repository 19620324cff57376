/** POST /rooms/{roomId}/upgrade. <https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidupgrade> */
import * as room_upgrades from '@holdfast/api/generated/client-server/room_upgrades'
import { matrixError } from '@holdfast/protocol/errors'
import { parseUserId } from '@holdfast/protocol/ids/user-id'
import type { UserId } from '@holdfast/protocol/ids/brand'
import { upgradeRoom as upgrade } from '../rooms/upgrade-room.ts'
import { route } from './route.ts'

export const upgradeRoom = route(room_upgrades.upgradeRoom, async ({ deps, requester, params: { roomId }, body }) => {
  deps.rateLimiter.take({ limit: 'room_creation', key: requester.userId })
  const additionalCreators = (body.additional_creators ?? []).map(creatorOf)
  return { replacement_room: await upgrade(deps, requester, { roomId, version: body.new_version, additionalCreators }) }
})

function creatorOf(raw: string): UserId {
  const userId = parseUserId(raw)
  if (userId === undefined) throw matrixError('M_INVALID_PARAM', `${JSON.stringify(raw)} is not a user id.`)
  return userId
}
