/** Telling another server that a user here leaves. <https://spec.matrix.org/v1.19/server-server-api/#leaving-rooms-rejecting-invites> */
import type { RoomId, UserId } from '@holdfast/protocol/ids/brand'
import type { JsonObject } from '@holdfast/protocol/json/value'
import type { RoomRules } from '@holdfast/protocol/room-version/rules'
import { ask, isUnknownEndpoint, part, type Asking } from '../../federation/remote-rooms/ask.ts'
import type { IncomingEvent } from '../receive/incoming.ts'
import { askTemplate, eventFromTemplate, type TemplateDeps } from './templates.ts'

/**
 * Leaves by way of the server.
 * @throws {FederationFailed} and {BadAnswer}
 */
export async function leaveThrough(
  deps: TemplateDeps,
  asking: Asking,
  leave: {
    readonly roomId: RoomId
    readonly userId: UserId
    readonly content: JsonObject
    /** As far as it is known here. */
    readonly rules: RoomRules
  },
): Promise<IncomingEvent> {
  const { roomId, userId, content, rules } = leave
  // Of a room that is not here the version may have been lied about since the invitation: the server that invited is asked.
  const template = await askTemplate(asking, 'leave', { roomId, userId, versionUnnamed: rules.version })
  const own = eventFromTemplate(deps, template, { asking, roomId, userId, content })
  await sendLeave(asking, roomId, own)
  return own
}

async function sendLeave(asking: Asking, roomId: RoomId, { parsed }: IncomingEvent): Promise<void> {
  const target = `${part(roomId)}/${part(parsed.pdu.eventId)}`
  const body = JSON.parse(parsed.json) as JsonObject
  try {
    await ask(asking, { method: 'PUT', path: `/_matrix/federation/v2/send_leave/${target}`, body })
  } catch (error) {
    if (!isUnknownEndpoint(error)) throw error
    await ask(asking, { method: 'PUT', path: `/_matrix/federation/v1/send_leave/${target}`, body })
  }
}
