/** Logout. <https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3logout> */
import * as operations from '@holdfast/api/generated/client-server/logout'
import { removeAllDevices, removeDevices } from '../devices/remove-devices.ts'
import { deleteLoginTokensOf } from '../storage/tokens.ts'
import { route } from './route.ts'

/** POST /logout */
export const logout = route(operations.logout, async ({ deps, requester }) => {
  await removeDevices(deps, [requester.deviceNid])
  return {}
})

/** POST /logout/all */
export const logoutAll = route(operations.logout_all, async ({ deps, requester }) => {
  await removeAllDevices(deps, { userNid: requester.userNid }, [deleteLoginTokensOf(requester.userNid)])
  return {}
})
