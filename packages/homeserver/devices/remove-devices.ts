/** Removing devices, and with them every way to act as them. */
import type { Statement } from '@holdfast/platform/database/database'
import { announceDevices } from '../e2e-keys/device-lists.ts'
import type { Homeserver } from '../homeserver.ts'
import { ownedDevices } from '../storage/device-lists.ts'
import { devicesOf } from '../storage/devices.ts'
import { deviceRemoval } from './device-rows.ts'

export type DeviceDeps = Pick<Homeserver, 'db' | 'accounts' | 'streams' | 'e2eKeys'>

/** Removes the devices of one user together with `more`, in one commit, and tells those who know them. Their access tokens are refused from then on. */
export async function removeDevices(
  deps: DeviceDeps,
  deviceNids: readonly number[],
  more: readonly Statement[] = [],
): Promise<void> {
  const rows = await ownedDevices(deps.db, deviceNids)
  const userNid = rows[0]?.user_nid
  const statements = [...more, ...deviceRemoval(deviceNids)]
  const forget = (): void => deps.accounts.requesters.forgetDevices(deviceNids)
  if (userNid === undefined) {
    await deps.db.commit(statements)
    forget()
  } else {
    const deviceIds = rows.map((row) => row.device_id)
    const announcement = announceDevices(deps, { userNid, deviceIds })
    const publish = (position: number): void => {
      // First: a sync of the device that the news wakes has to find itself logged out.
      forget()
      announcement.publish(position)
    }
    await deps.streams.commit([...statements, ...announcement.statements], { ...announcement, publish })
  }
  deps.e2eKeys.counts.forget(deviceNids)
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
