/** Sending messages to devices: each transaction once, durable before it is answered. <https://spec.matrix.org/v1.19/client-server-api/#send-to-device-messaging> */
import { ExpectationFailed, type Statement } from '@holdfast/platform/database/database'
import { matrixError } from '@holdfast/protocol/errors'
import { serverNameOf } from '@holdfast/protocol/ids/common'
import { parseUserId } from '@holdfast/protocol/ids/user-id'
import type { JsonObject } from '@holdfast/protocol/json/value'
import { INPUT_LIMITS, SPEC_LIMITS } from '@holdfast/protocol/limits'
import { fitsUtf8 } from '@holdfast/protocol/text/utf8'
import type { Requester } from '../accounts/requester.ts'
import type { Homeserver } from '../homeserver.ts'
import { devicesOfUsers, insertToDevice, type TargetDeviceRow } from '../storage/to-device.ts'
import type { ClientTransaction } from '../transactions/transactions.ts'

/** Contents by user id, then by device id or `*`. */
export type Messages = readonly (readonly [userId: string, byDevice: Readonly<Record<string, JsonObject>>])[]

export type ToDeviceSending = {
  readonly type: string
  readonly messages: Messages
  readonly transaction: ClientTransaction
}

const EVERY_DEVICE = '*'

type SendDeps = Pick<Homeserver, 'db' | 'dictionary' | 'serverName' | 'streams'>
type Delivery = { readonly userNid: number; readonly deviceNid: number; readonly message: string }

/**
 * Users and devices that are not here are passed over: they may be gone since the client looked.
 * @throws {MatrixError} M_INVALID_PARAM for an impossible type, M_TOO_LARGE for a message no other server would take
 */
export async function sendToDevice(deps: SendDeps, sender: Requester, sending: ToDeviceSending): Promise<void> {
  assertType(sending.type)
  const texts = messageTexts(sender, sending)
  const deliveries = await localDeliveries(deps, texts)
  const statements = deliveries.map(({ deviceNid, message }) => insertToDevice(deviceNid, message))
  try {
    await commit(deps, [...statements, sending.transaction.remember(0)], deliveries)
  } catch (error) {
    // Only the memory of the transaction has an expectation: another process was faster with the same request.
    if (!(error instanceof ExpectationFailed)) throw error
  }
}

async function commit(
  deps: SendDeps,
  statements: readonly Statement[],
  deliveries: readonly Delivery[],
): Promise<void> {
  if (deliveries.length === 0) {
    await deps.db.commit(statements)
    return
  }
  const userNids = new Set(deliveries.map(({ userNid }) => userNid))
  await deps.streams.commit(statements, {
    positions: 1,
    publish: (position) => {
      for (const userNid of userNids) deps.streams.userChanged({ userNid, position })
    },
  })
}

function assertType(type: string): void {
  if (type === '' || !fitsUtf8(type, SPEC_LIMITS.idBytesMax)) {
    throw matrixError('M_INVALID_PARAM', `The event type has 1 to ${SPEC_LIMITS.idBytesMax} bytes.`)
  }
}

/** The events as the devices get them, by user id and device id. */
type Texts = ReadonlyMap<string, ReadonlyMap<string, string>>

function messageTexts(sender: Requester, { type, messages }: ToDeviceSending): Texts {
  const head = `{"type":${JSON.stringify(type)},"sender":${JSON.stringify(sender.userId)},"content":`
  return new Map(
    messages.map(([userId, byDevice]) => [
      userId,
      new Map(Object.entries(byDevice).map(([deviceId, content]) => [deviceId, messageText(head, content)])),
    ]),
  )
}

function messageText(head: string, content: JsonObject): string {
  const text = `${head}${JSON.stringify(content)}}`
  if (!fitsUtf8(text, INPUT_LIMITS.toDeviceEduBytesMax)) {
    throw matrixError('M_TOO_LARGE', `A message to a device has at most ${INPUT_LIMITS.toDeviceEduBytesMax} bytes.`)
  }
  return text
}

async function localDeliveries(deps: SendDeps, texts: Texts): Promise<readonly Delivery[]> {
  const byUser = new Map<number, ReadonlyMap<string, string>>()
  for (const [raw, byDevice] of texts) {
    const userId = parseUserId(raw)
    if (userId === undefined || serverNameOf(userId) !== deps.serverName) continue
    const userNid = await deps.dictionary.userNid(userId)
    if (userNid !== undefined) byUser.set(userNid, byDevice)
  }
  if (byUser.size === 0) return []
  const devices = await devicesOfUsers(deps.db, [...byUser.keys()])
  return devices.flatMap((device) => deliveryTo(device, byUser.get(device.user_nid)!))
}

/** A device that is named gets what is meant for it, and not what is for every device as well. */
function deliveryTo(device: TargetDeviceRow, byDevice: ReadonlyMap<string, string>): readonly Delivery[] {
  const message = byDevice.get(device.device_id) ?? byDevice.get(EVERY_DEVICE)
  if (message === undefined) return []
  return [{ userNid: device.user_nid, deviceNid: device.device_nid, message }]
}
