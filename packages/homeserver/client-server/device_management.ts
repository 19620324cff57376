/** Device management. <https://spec.matrix.org/v1.19/client-server-api/#device-management> */
import * as operations from '@holdfast/api/generated/client-server/device_management'
import { members } from '@holdfast/api/operation'
import { matrixError } from '@holdfast/protocol/errors'
import type { Requester } from '../accounts/requester.ts'
import { requireDisplayName } from '../devices/display-name.ts'
import { removeDevices } from '../devices/remove-devices.ts'
import { setDeviceName } from '../devices/set-device-name.ts'
import type { Homeserver } from '../homeserver.ts'
import { deviceOf, devicesOf, type DeviceRow } from '../storage/devices.ts'
import { provePassword } from '../user-interactive-auth/prove-password.ts'
import { Reply } from '@holdfast/service/http/reply'
import { route } from './route.ts'

/** GET /devices */
export const getDevices = route(operations.getDevices, async ({ deps, requester }) => {
  const rows = await devicesOf(deps.db, requester.userNid)
  return { devices: rows.map(shown) }
})

/** GET /devices/{deviceId} */
export const getDevice = route(operations.getDevice, async ({ deps, requester, params }) =>
  shown(await ownDevice(deps, requester, params.deviceId)),
)

/** PUT /devices/{deviceId} */
export const updateDevice = route(operations.updateDevice, async ({ deps, requester, params, body }) => {
  const device = await ownDevice(deps, requester, params.deviceId)
  if (body.display_name !== undefined) {
    requireDisplayName(body.display_name)
    const named = { userNid: requester.userNid, deviceNid: device.device_nid, deviceId: device.device_id }
    await setDeviceName(deps, named, body.display_name)
  }
  return {}
})

/** DELETE /devices/{deviceId} */
export const deleteDevice = route(operations.deleteDevice, async ({ deps, requester, params, body, request }) => {
  const outcome = await provePassword(deps, requester, {
    operation: `deleteDevice ${params.deviceId}`,
    body: members(body),
    remoteAddress: request.remoteAddress,
  })
  if (outcome.kind === 'challenge') return new Reply(outcome.status, outcome.body)
  await removeOwn(deps, requester, [params.deviceId])
  return {}
})

/** POST /delete_devices */
export const deleteDevices = route(operations.deleteDevices, async ({ deps, requester, body, request }) => {
  const outcome = await provePassword(deps, requester, {
    operation: 'deleteDevices',
    body: members(body),
    remoteAddress: request.remoteAddress,
  })
  if (outcome.kind === 'challenge') return new Reply(outcome.status, outcome.body)
  await removeOwn(deps, requester, body.devices)
  return {}
})

function shown(row: DeviceRow): object {
  return {
    device_id: row.device_id,
    ...(row.display_name === null ? {} : { display_name: row.display_name }),
    ...(row.last_seen_ms === null ? {} : { last_seen_ts: row.last_seen_ms }),
    ...(row.last_seen_address === null ? {} : { last_seen_ip: row.last_seen_address }),
  }
}

async function ownDevice(deps: Homeserver, requester: Requester, deviceId: string): Promise<DeviceRow> {
  const device = await deviceOf(deps.db, { userNid: requester.userNid, deviceId })
  if (device === undefined) throw matrixError('M_NOT_FOUND', 'You have no device of this id.')
  return device
}

/** Ids that the user has no device of are passed over: what was to be removed is not there. */
async function removeOwn(deps: Homeserver, requester: Requester, deviceIds: readonly string[]): Promise<void> {
  const wanted = new Set(deviceIds)
  const rows = await devicesOf(deps.db, requester.userNid)
  const nids = rows.filter((row) => wanted.has(row.device_id)).map((row) => row.device_nid)
  if (nids.length > 0) await removeDevices(deps, nids)
}
