/** GET /account/whoami <https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3accountwhoami> */
import * as whoami from '@holdfast/api/generated/client-server/whoami'
import { route } from './route.ts'

export const getTokenOwner = route(whoami.getTokenOwner, async ({ requester }) => ({
  user_id: requester.userId,
  device_id: requester.deviceId,
  is_guest: requester.isGuest,
}))
