/** Whether the token of a request that waits is still good. */
import type { HttpRequest } from '@holdfast/platform/http/service'
import { MatrixError } from '@holdfast/protocol/errors'
import type { Homeserver } from '../homeserver.ts'
import { deviceOf } from '../storage/devices.ts'
import { authenticate, type AuthenticateDeps } from './authenticate.ts'
import type { Requester } from './requester.ts'

export type WatchedSession = Disposable & {
  /**
   * Call after each wait. False: the token is none any more, but the session has another one, so that the client should ask again.
   * @throws {MatrixError} M_UNKNOWN_TOKEN or M_USER_LOCKED if the session is over
   */
  goesOn(): Promise<boolean>
}

/** Wakes what waits for the user when tokens are revoked. */
export function watchSession(
  deps: AuthenticateDeps & Pick<Homeserver, 'streams'>,
  requester: Requester,
  request: HttpRequest,
): WatchedSession {
  let isRevoked = false
  const watching = deps.accounts.requesters.onRevoked(requester, () => {
    isRevoked = true
    deps.streams.wake(new Set([requester.userNid]))
  })
  return {
    goesOn: async () => {
      if (!isRevoked) return true
      isRevoked = false
      try {
        await authenticate(deps, request)
        return true
      } catch (error) {
        // A client that has refreshed its token must not take this for its end.
        if (
          error instanceof MatrixError &&
          error.errcode === 'M_UNKNOWN_TOKEN' &&
          (await isStillThere(deps, requester))
        )
          return false
        throw error
      }
    },
    [Symbol.dispose]: () => watching[Symbol.dispose](),
  }
}

async function isStillThere({ db }: AuthenticateDeps, { userNid, deviceId, deviceNid }: Requester): Promise<boolean> {
  return (await deviceOf(db, { userNid, deviceId }))?.device_nid === deviceNid
}
