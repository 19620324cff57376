/** Changes of devices and cross-signing keys of other servers' users. <https://spec.matrix.org/v1.19/server-server-api/#device-management> */
import { applyRemoteDeviceUpdate, applyRemoteSigningKeys } from '../../e2e-keys/remote-devices.ts'
import { malformed } from './edu-origin.ts'
import type { EduReceiver } from './receive-edus.ts'

/** A user with whom nobody here shares a room is passed over in silence: the other server cannot know that we left. */
export const receiveDeviceListUpdate: EduReceiver = async (deps, origin, content) => {
  await applyRemoteDeviceUpdate(deps, origin, content)
}

export const receiveSigningKeyUpdate: EduReceiver = async (deps, origin, content) => {
  if (!(await applyRemoteSigningKeys(deps, origin, content)))
    throw malformed('These are no keys of a user in our rooms.')
}
