/** Naming a device. */
import { ExpectationFailed } from '@holdfast/platform/database/database'
import { matrixError } from '@holdfast/protocol/errors'
import type { Homeserver } from '../homeserver.ts'
import { renameDevice } from '../storage/devices.ts'

/** @throws M_NOT_FOUND if the device went meanwhile */
export async function setDeviceName(deps: Pick<Homeserver, 'db'>, deviceNid: number, name: string): Promise<void> {
  try {
    await deps.db.commit([renameDevice(deviceNid, name)])
  } catch (error) {
    throw error instanceof ExpectationFailed ? matrixError('M_NOT_FOUND', 'You have no device of this id.') : error
  }
}
