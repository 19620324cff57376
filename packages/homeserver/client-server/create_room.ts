/** POST /createRoom. <https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3createroom> */
import * as create_room from '@holdfast/api/generated/client-server/create_room'
import { matrixError } from '@holdfast/protocol/errors'
import { parseRoomAlias } from '@holdfast/protocol/ids/room-alias'
import type { RoomAlias } from '@holdfast/protocol/ids/brand'
import { createRoom as createTheRoom, type RoomCreation } from '../rooms/create-room.ts'
import { assertEventContent } from '../rooms/event-content.ts'
import { route } from './route.ts'

export const createRoom = route(create_room.createRoom, async ({ deps, requester, body }) => {
  deps.rateLimiter.take({ limit: 'room_creation', key: requester.userId })
  if (body.invite_3pid !== undefined && body.invite_3pid.length > 0) {
    throw matrixError('M_UNRECOGNIZED', 'Invitations by e-mail or phone are not available on this server.', {
      status: 400,
    })
  }
  const alias = body.room_alias_name === undefined ? undefined : aliasOf(body.room_alias_name, deps.serverName)
  const room_id = await createTheRoom(deps, requester, { ...creationOf(body), alias })
  return alias === undefined ? { room_id } : { room_id, room_alias: alias }
})

function creationOf(body: create_room.CreateRoomBody): RoomCreation {
  const initialState = (body.initial_state ?? []).map(({ type, state_key, content }) => ({
    type,
    stateKey: state_key ?? '',
    content: assertEventContent(content),
  }))
  return {
    preset: body.preset ?? (body.visibility === 'public' ? 'public_chat' : 'private_chat'),
    version: body.room_version,
    published: body.visibility === 'public',
    name: body.name,
    topic: body.topic,
    invite: body.invite ?? [],
    isDirect: body.is_direct ?? false,
    creationContent: assertEventContent(body.creation_content ?? {}),
    initialState,
    powerLevelOverride: assertEventContent(body.power_level_content_override ?? {}),
  }
}

function aliasOf(localpart: string, serverName: string): RoomAlias {
  const alias = localpart.includes(':') ? undefined : parseRoomAlias(`#${localpart}:${serverName}`)
  if (alias === undefined)
    throw matrixError('M_INVALID_PARAM', '`room_alias_name` must be an alias without # and server name.')
  return alias
}
