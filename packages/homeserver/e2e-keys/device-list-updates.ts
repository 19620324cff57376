/** What other servers are told of the devices and keys of local users. <https://spec.matrix.org/v1.19/server-server-api/#device-management> */
import type { UserId } from '@holdfast/protocol/ids/brand'
import { emptyObject, type JsonObject } from '@holdfast/protocol/json/value'
import { originalText } from '@holdfast/platform/database/text'
import type { Homeserver } from '../homeserver.ts'
import { sentDevices, type SentDeviceRow } from '../storage/device-keys.ts'
import { deviceListUpdates, newestUpdateOfDevice, type DeviceListUpdateRow } from '../storage/device-lists.ts'
import { addCrossSigning, addedSignatures, tellsDeviceNames, type Signatures } from './local-keys.ts'
import { emptyAnswer, withSignatures } from './shown-keys.ts'
import { storedObject } from './stored-json.ts'

/** For every server that shares a room with the user. */
export type DeviceListUpdate = {
  readonly position: number
  readonly userId: UserId
  readonly edu: {
    readonly edu_type: 'm.device_list_update' | 'm.signing_key_update'
    readonly content: JsonObject
  }
}

export type UpdateDeps = Pick<Homeserver, 'db' | 'dictionary' | 'streams' | 'settings'>

/**
 * The updates after a position, oldest first. Each names the one before it of the same user, so all of them have to be
 * sent, in order; what they say of a device is how it is now. Empty: there are none up to the position of the streams.
 */
export async function deviceListUpdatesSince(
  deps: UpdateDeps,
  { after, limit }: { readonly after: number; readonly limit: number },
): Promise<readonly DeviceListUpdate[]> {
  return described(deps, await deviceListUpdates(deps.db, { after, upTo: deps.streams.position(), limit }))
}

/**
 * The newest update of a device of the user; undefined: they never had one. Whoever was told of none before asks for the
 * whole list.
 */
export async function newestDeviceListUpdate(deps: UpdateDeps, userNid: number): Promise<DeviceListUpdate | undefined> {
  const row = await newestUpdateOfDevice(deps.db, userNid)
  return row === undefined ? undefined : (await described(deps, [row]))[0]
}

async function described(deps: UpdateDeps, rows: readonly DeviceListUpdateRow[]): Promise<readonly DeviceListUpdate[]> {
  if (rows.length === 0) return []
  const userNids = [...new Set(rows.map((row) => row.user_nid))]
  const userIds = await deps.dictionary.userIds(userNids)
  const users = new Map(userNids.map((userNid, index) => [userNid, userIds[index]!]))
  const signatures = await addedSignatures(deps, userNids, 'server')
  const devices = new Map(
    (await sentDevices(deps.db, userNids)).map((row) => [`${row.user_nid} ${row.device_id}`, row]),
  )
  const isNamed = tellsDeviceNames(deps)
  const keys = emptyAnswer()
  await addCrossSigning(deps, keys, { users, reader: 'server', signatures })
  return rows.map((row) => {
    const userId = users.get(row.user_nid)!
    if (row.device_id !== null) {
      const device = devices.get(`${row.user_nid} ${row.device_id}`)
      const content = deviceContent({ userId, update: row, device, isNamed }, signatures)
      return { position: row.position, userId, edu: { edu_type: 'm.device_list_update', content } }
    }
    const content = emptyObject()
    content['user_id'] = userId
    for (const usage of ['master', 'self_signing'] as const) {
      const key = keys.crossSigning[usage].get(userId)
      if (key !== undefined) content[`${usage}_key`] = key
    }
    return { position: row.position, userId, edu: { edu_type: 'm.signing_key_update', content } }
  })
}

type Described = {
  readonly userId: UserId
  readonly update: DeviceListUpdateRow
  /** Undefined: it is gone. */
  readonly device: SentDeviceRow | undefined
  readonly isNamed: boolean
}

function deviceContent({ userId, update, device, isNamed }: Described, signatures: Signatures): JsonObject {
  const content = emptyObject()
  content['user_id'] = userId
  content['device_id'] = update.device_id
  content['stream_id'] = update.position
  content['prev_id'] = update.previous === null ? [] : [update.previous]
  if (device === undefined) {
    content['deleted'] = true
    return content
  }
  if (device.display_name !== null && isNamed) content['device_display_name'] = originalText(device.display_name)
  if (device.keys !== null) {
    content['keys'] = withSignatures(storedObject(device.keys), signatures(device.user_nid, device.device_id))
  }
  return content
}
