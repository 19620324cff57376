/** Naming a device. */
import { ExpectationFailed } from '@holdfast/platform/database/database'
import { matrixError } from '@holdfast/protocol/errors'
import { announceDevices } from '../e2e-keys/device-lists.ts'
import type { Homeserver } from '../homeserver.ts'
import { renameDevice } from '../storage/devices.ts'

/** @throws M_NOT_FOUND if the device went meanwhile */
export async function setDeviceName(
  deps: Pick<Homeserver, 'streams' | 'e2eKeys'>,
  device: { readonly userNid: number; readonly deviceNid: number; readonly deviceId: string },
  name: string,
): Promise<void> {
  const { userNid, deviceId } = device
  const announcement = announceDevices(deps, { userNid, deviceIds: [deviceId] })
  try {
    await deps.streams.commit([renameDevice(device.deviceNid, name), ...announcement.statements], announcement)
  } catch (error) {
    throw error instanceof ExpectationFailed ? matrixError('M_NOT_FOUND', 'You have no device of this id.') : error
  }
}
