/** The identifiers of the protocol as shapes. */

import { parseDeviceId } from '@holdfast/protocol/ids/opaque'
import { parseEventId } from '@holdfast/protocol/ids/event-id'
import { parseRoomAlias } from '@holdfast/protocol/ids/room-alias'
import { parseRoomId } from '@holdfast/protocol/ids/room-id'
import { parseServerName } from '@holdfast/protocol/ids/server-name'
import { parseUserId } from '@holdfast/protocol/ids/user-id'
import type { IdKind, Shape } from './shape.ts'

function id(noun: string, parse: IdKind['parse']): Shape {
  return { kind: 'id', id: { noun, parse } }
}

export const userId: Shape = id('a user ID, such as @ann:example.org', parseUserId)
export const roomId: Shape = id('a room ID, such as !room:example.org', parseRoomId)
export const eventId: Shape = id('an event ID, beginning with $', parseEventId)
export const roomAlias: Shape = id('a room alias, such as #room:example.org', parseRoomAlias)
export const serverName: Shape = id('a server name, such as example.org', parseServerName)
export const deviceId: Shape = id('a device ID, of 1 to 512 characters', parseDeviceId)
export const roomIdOrAlias: Shape = id('a room ID or a room alias', (raw) => parseRoomId(raw) ?? parseRoomAlias(raw))
