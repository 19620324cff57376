/** Removing devices, and with them every way to act as them. */
import type { Statement } from '@holdfast/platform/database/database'
import type { Homeserver } from '../homeserver.ts'
import { devicesOf } from '../storage/devices.ts'
import { deviceRemoval } from './device-rows.ts'

export type DeviceDeps = Pick<Homeserver, 'db' | 'accounts'>

/** Removes the devices together with `more`, in one commit. Their access tokens are refused from then on. */
export async function removeDevices(
  deps: DeviceDeps,
  deviceNids: readonly number[],
  more: readonly Statement[] = [],
): Promise<void> {
  await deps.db.commit([...more, ...deviceRemoval(deviceNids)])
  deps.accounts.requesters.forgetDevices(deviceNids)
}

/** Removes all devices of a user, but for `exceptNid`. */
export async function removeAllDevices(
  deps: DeviceDeps,
  user: { readonly userNid: number; readonly exceptNid?: number },
  more: readonly Statement[] = [],
): Promise<void> {
  await removeDevices(deps, await otherDevices(deps, user), more)
  // Logins that were under way made theirs after the list was read, and before the commit that ends the old credentials.
  const late = await otherDevices(deps, user)
  if (late.length > 0) await removeDevices(deps, late)
}

async function otherDevices(
  deps: DeviceDeps,
  { userNid, exceptNid }: { readonly userNid: number; readonly exceptNid?: number },
): Promise<readonly number[]> {
  const rows = await devicesOf(deps.db, userNid)
  return rows.map((row) => row.device_nid).filter((nid) => nid !== exceptNid)
}
