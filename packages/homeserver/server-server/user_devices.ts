/** GET /_matrix/federation/v1/user/devices/{userId} <https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1userdevicesuserid> */
import * as userDevices from '@holdfast/api/generated/server-server/user_devices'
import { matrixError } from '@holdfast/protocol/errors'
import { serverNameOf } from '@holdfast/protocol/ids/common'
import { localDevices } from '../e2e-keys/local-keys.ts'
import { federationRoute } from './route.ts'

/** What we know of the devices of others is nobody's to ask us: it would tell whom we know. */
export const getUserDevices = federationRoute(userDevices.getUserDevices, async ({ deps, params }) => {
  if (serverNameOf(params.userId) !== deps.serverName) {
    throw matrixError('M_INVALID_PARAM', `${params.userId} is no user of this server.`)
  }
  return localDevices(deps, params.userId)
})
