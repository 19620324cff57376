/** Who asks. */
import { matrixError } from '@holdfast/protocol/errors'
import type { DeviceId, UserId } from '@holdfast/protocol/ids/brand'

/** The owner of the access token of a request. */
export type Requester = {
  readonly userId: UserId
  readonly userNid: number
  readonly deviceId: DeviceId
  readonly deviceNid: number
  readonly isGuest: boolean
  readonly isAdmin: boolean
  /** May read, leave and log out, but not act in rooms. <https://spec.matrix.org/v1.19/client-server-api/#account-suspension> */
  readonly isSuspended: boolean
}

/** @throws M_USER_SUSPENDED; for what acts in rooms or shows to others, not for reading, leaving and logging out */
export function requireUnsuspended(requester: Requester): void {
  if (requester.isSuspended) throw matrixError('M_USER_SUSPENDED', 'Your account has been suspended.')
}
