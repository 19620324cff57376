/** From messages by user and device to rows for the devices that are here. <https://spec.matrix.org/v1.19/client-server-api/#send-to-device-messaging> */
import type { Statement } from '@holdfast/platform/database/database'
import { matrixError } from '@holdfast/protocol/errors'
import type { UserId } from '@holdfast/protocol/ids/brand'
import { serverNameOf } from '@holdfast/protocol/ids/common'
import { parseUserId } from '@holdfast/protocol/ids/user-id'
import type { JsonObject } from '@holdfast/protocol/json/value'
import { INPUT_LIMITS, SPEC_LIMITS } from '@holdfast/protocol/limits'
import { fitsUtf8 } from '@holdfast/protocol/text/utf8'
import type { Homeserver } from '../homeserver.ts'
import { deleteOldestToDevice, devicesOfUsers, insertToDevice, type TargetDeviceRow } from '../storage/to-device.ts'

/** Contents by user id, then by device id or `*`. */
export type Messages = readonly (readonly [userId: string, byDevice: Readonly<Record<string, JsonObject>>])[]

export type Delivery = { readonly userNid: number; readonly deviceNid: number; readonly message: string }

/** The events as the devices get them, by user id and device id. */
export type MessageTexts = ReadonlyMap<string, ReadonlyMap<string, string>>

const EVERY_DEVICE = '*'

/** @throws {MatrixError} M_INVALID_PARAM for an impossible type */
export function assertMessageType(type: string): void {
  if (type === '' || !fitsUtf8(type, SPEC_LIMITS.idBytesMax)) {
    throw matrixError('M_INVALID_PARAM', `The event type has 1 to ${SPEC_LIMITS.idBytesMax} bytes.`)
  }
}

/** @throws {MatrixError} M_TOO_LARGE for a message no other server would take */
export function messageTexts(
  senderId: UserId,
  { type, messages }: { readonly type: string; readonly messages: Messages },
): MessageTexts {
  const head = `{"type":${JSON.stringify(type)},"sender":${JSON.stringify(senderId)},"content":`
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

/** Users and devices that are not here are passed over: they may be gone since the sender looked. */
export async function localDeliveries(
  deps: Pick<Homeserver, 'db' | 'dictionary' | 'serverName'>,
  texts: MessageTexts,
): Promise<readonly Delivery[]> {
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

/** One delivery of so many looks whether too much waits for the device: looking costs more than delivering. */
const CHECKED_ONE_IN = 256

/** At the position of offset 0. */
export function deliveryStatements(
  { random }: Pick<Homeserver, 'random'>,
  deliveries: readonly Delivery[],
): readonly Statement[] {
  return deliveries.flatMap(({ deviceNid, message }) => {
    const insert = insertToDevice(deviceNid, message)
    if (random.integer(CHECKED_ONE_IN) !== 0) return [insert]
    return [insert, deleteOldestToDevice({ deviceNid, kept: INPUT_LIMITS.toDeviceWaitingMax })]
  })
}

/** Call in `publish`. */
export function publishDeliveries(
  deps: Pick<Homeserver, 'streams'>,
  deliveries: readonly Delivery[],
  position: number,
): void {
  const userNids = new Set(deliveries.map(({ userNid }) => userNid))
  for (const userNid of userNids) deps.streams.userChanged({ userNid, position })
}
