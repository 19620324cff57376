/** `m.direct_to_device` of other servers: delivered once, however often it comes. <https://spec.matrix.org/v1.19/server-server-api/#send-to-device-messaging> */
import { ExpectationFailed } from '@holdfast/platform/database/database'
import { storedText } from '@holdfast/platform/database/text'
import { isObject, type JsonObject, type JsonValue } from '@holdfast/protocol/json/value'
import { INPUT_LIMITS, SPEC_LIMITS } from '@holdfast/protocol/limits'
import { insertReceivedMessage } from '../../storage/to-device.ts'
import {
  assertMessageType,
  deliveryStatements,
  localDeliveries,
  messageTexts,
  publishDeliveries,
  type Messages,
} from '../../to-device/deliver.ts'
import { malformed, requireOwnUser } from './edu-origin.ts'
import type { EduReceiver } from './receive-edus.ts'

export const receiveToDevice: EduReceiver = async (deps, origin, content) => {
  const { sender, type, message_id: messageId, messages } = content
  const senderId = requireOwnUser(origin, sender)
  if (typeof type !== 'string') throw malformed('`type` must be a string.')
  assertMessageType(type)
  const id = checkedId(messageId)
  const texts = messageTexts(senderId, { type, messages: checkedMessages(messages) })
  const deliveries = await localDeliveries(deps, texts)
  // What nobody gets need not be remembered.
  if (deliveries.length === 0) return
  const receivedMs = deps.clock.nowMs()
  const remembered = insertReceivedMessage({ serverName: origin, messageId: storedText(id), receivedMs })
  try {
    await deps.streams.commit([remembered, ...deliveryStatements(deps, deliveries)], {
      positions: 1,
      publish: (position) => publishDeliveries(deps, deliveries, position),
    })
  } catch (error) {
    // It was delivered before.
    if (!(error instanceof ExpectationFailed)) throw error
  }
}

function checkedId(id: JsonValue | undefined): string {
  if (typeof id !== 'string' || Array.from(id).length > SPEC_LIMITS.toDeviceMessageIdCodePointsMax) {
    throw malformed(
      `\`message_id\` must be a string of at most ${SPEC_LIMITS.toDeviceMessageIdCodePointsMax} characters.`,
    )
  }
  return id
}

function checkedMessages(messages: JsonValue | undefined): Messages {
  if (!isObject(messages)) throw malformed('`messages` must be an object.')
  const users = Object.entries(messages)
  if (users.length > INPUT_LIMITS.keysQueryUsersMax) throw malformed('`messages` is for too many users.')
  return users.map(([userId, devices]) => {
    if (!isObject(devices) || !Object.values(devices).every(isObject)) {
      throw malformed('Each message must be an object, by user and device.')
    }
    return [userId, devices as Readonly<Record<string, JsonObject>>]
  })
}
