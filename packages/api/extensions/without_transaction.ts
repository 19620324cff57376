/**
 * Sending without a transaction id, as the first version of the client API had it. Sytest and small scripts still do;
 * a repeated request sends again.
 */

import type { EventId, RoomId } from '@holdfast/protocol/ids/brand'
import type { JsonObject } from '@holdfast/protocol/json/value'
import { eventId, roomId } from '../identifiers.ts'
import { operation, type NoQuery, type Operation } from '../operation.ts'
import { jsonObject, object, text } from '../shape.ts'

const described = {
  stem: 'without_transaction',
  api: 'client-server',
  method: 'POST',
  auth: 'required',
  credential: 'access-token',
  guests: true,
  rateLimited: true,
  deprecated: true,
  revisions: [],
  absent: {},
  query: {},
} as const

export type SendMessageOnceParams = {
  readonly roomId: RoomId
  readonly eventType: string
}

export const sendMessageOnce: Operation<SendMessageOnceParams, NoQuery, JsonObject> = operation({
  ...described,
  id: 'sendMessageOnce',
  paths: [
    '/_matrix/client/r0/rooms/{roomId}/send/{eventType}',
    '/_matrix/client/v1/rooms/{roomId}/send/{eventType}',
    '/_matrix/client/v3/rooms/{roomId}/send/{eventType}',
  ],
  params: { roomId, eventType: text },
  body: jsonObject,
})

export type RedactEventOnceParams = {
  readonly roomId: RoomId
  readonly eventId: EventId
}

export type RedactEventOnceBody = {
  readonly reason?: string
}

export const redactEventOnce: Operation<RedactEventOnceParams, NoQuery, RedactEventOnceBody> = operation({
  ...described,
  id: 'redactEventOnce',
  paths: [
    '/_matrix/client/r0/rooms/{roomId}/redact/{eventId}',
    '/_matrix/client/v1/rooms/{roomId}/redact/{eventId}',
    '/_matrix/client/v3/rooms/{roomId}/redact/{eventId}',
  ],
  params: { roomId, eventId },
  body: object({}, { reason: text }),
})
