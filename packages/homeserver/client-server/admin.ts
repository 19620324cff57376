/** Server administration. <https://spec.matrix.org/v1.19/client-server-api/#server-administration> */
import * as admin from '@holdfast/api/generated/client-server/admin'
import { matrixError } from '@holdfast/protocol/errors'
import { lockAccount, moderatedAccount, suspendAccount } from '../accounts/moderate.ts'
import { devicesOf, type DeviceRow } from '../storage/devices.ts'
import { route } from './route.ts'

/** GET /admin/whois/{userId}: for administrators, and for everyone about themselves. */
export const getWhoIs = route(admin.getWhoIs, async ({ deps, requester, params }) => {
  const { userId } = params
  if (userId !== requester.userId && !requester.isAdmin) {
    throw matrixError('M_FORBIDDEN', 'You may look up yourself only.')
  }
  const userNid = await deps.dictionary.userNid(userId)
  const rows = userNid === undefined ? [] : await devicesOf(deps.db, userNid)
  return {
    user_id: userId,
    devices: Object.fromEntries(rows.map((row) => [row.device_id, { sessions: sessionsOf(row) }])),
  }
})

function sessionsOf({ last_seen_ms: lastSeenMs, last_seen_address: ip }: DeviceRow): readonly object[] {
  return lastSeenMs === null || ip === null ? [] : [{ connections: [{ ip, last_seen: lastSeenMs }] }]
}

/** GET /admin/lock/{userId} */
export const getAdminLockUser = route(admin.getAdminLockUser, async ({ deps, requester, params }) => {
  const account = await moderatedAccount(deps, requester, params.userId)
  return { locked: account.is_locked === 1 }
})

/** PUT /admin/lock/{userId} */
export const setAdminLockUser = route(admin.setAdminLockUser, async ({ deps, requester, params, body }) => {
  const account = await moderatedAccount(deps, requester, params.userId)
  await lockAccount(deps, account.user_nid, body.locked)
  return { locked: body.locked }
})

/** GET /admin/suspend/{userId} */
export const getAdminSuspendUser = route(admin.getAdminSuspendUser, async ({ deps, requester, params }) => {
  const account = await moderatedAccount(deps, requester, params.userId)
  return { suspended: account.is_suspended === 1 }
})

/** PUT /admin/suspend/{userId} */
export const setAdminSuspendUser = route(admin.setAdminSuspendUser, async ({ deps, requester, params, body }) => {
  const account = await moderatedAccount(deps, requester, params.userId)
  await suspendAccount(deps, account.user_nid, body.suspended)
  return { suspended: body.suspended }
})
