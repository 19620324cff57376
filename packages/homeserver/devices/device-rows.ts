/** What belongs to devices, in every table: it goes with them, in the commit that removes them. */
import type { Statement } from '@holdfast/platform/database/database'
import { deleteClientTransactionsOfDevice } from '../storage/client-transactions.ts'
import { deleteSignaturesOfDevices } from '../storage/cross-signing-keys.ts'
import { deleteDeviceKeys } from '../storage/device-keys.ts'
import { deleteDevices } from '../storage/devices.ts'
import { deleteFallbackKeys, deleteOneTimeKeys } from '../storage/one-time-keys.ts'
import { deleteToDeviceOfDevices } from '../storage/to-device.ts'
import { deleteAccessTokens, deleteRefreshTokens } from '../storage/tokens.ts'

/** One line for each table with rows of devices. */
const OWNED_ROWS: readonly ((deviceNids: readonly number[]) => readonly Statement[])[] = [
  (nids) => [deleteAccessTokens(nids)],
  (nids) => [deleteRefreshTokens(nids)],
  (nids) => nids.map(deleteClientTransactionsOfDevice),
  (nids) => [deleteToDeviceOfDevices(nids)],
  (nids) => [deleteDeviceKeys(nids)],
  (nids) => [deleteOneTimeKeys(nids)],
  (nids) => [deleteFallbackKeys(nids)],
  // Finds them by the rows of the devices, which go last.
  (nids) => [deleteSignaturesOfDevices(nids)],
  (nids) => [deleteDevices(nids)],
]

export function deviceRemoval(deviceNids: readonly number[]): readonly Statement[] {
  if (deviceNids.length === 0) return []
  return OWNED_ROWS.flatMap((statementsFor) => statementsFor(deviceNids))
}
