/** Who asks. */
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
