/** From a request's access token to the one who asks. */
import type { HttpRequest } from '@holdfast/platform/http/service'
import { ExpectationFailed } from '@holdfast/platform/database/database'
import { matrixError, type MatrixError } from '@holdfast/protocol/errors'
import type { DeviceId, UserId } from '@holdfast/protocol/ids/brand'
import { noteSeen } from '../devices/note-seen.ts'
import type { Homeserver } from '../homeserver.ts'
import { ACCOUNT_KINDS } from '../storage/accounts.ts'
import * as storage from '../storage/tokens.ts'
import { accessTokenOf } from './access-token.ts'
import type { KnownToken } from './requester-cache.ts'
import type { Requester } from './requester.ts'
import { tokenKey } from './token.ts'

export type AuthenticateDeps = Pick<Homeserver, 'db' | 'clock' | 'log' | 'accounts'>

/**
 * Who asks; undefined if the request carries no access token.
 * @throws M_UNKNOWN_TOKEN, M_MISSING_TOKEN, M_USER_LOCKED
 */
export async function authenticate(deps: AuthenticateDeps, request: HttpRequest): Promise<Requester | undefined> {
  const token = accessTokenOf(request)
  if (token === undefined) return undefined
  const known = await knownToken(deps, token)
  if (known === undefined)
    throw matrixError('M_UNKNOWN_TOKEN', 'This access token is not known here, or was logged out.')
  if (known.expiresMs !== undefined && known.expiresMs <= deps.clock.nowMs()) {
    throw matrixError('M_UNKNOWN_TOKEN', 'This access token has expired: refresh it, or log in again.', {
      extra: { soft_logout: true },
    })
  }
  if (known.isLocked && !LOGOUT.test(request.path)) throw accountLocked()
  noteSeen(deps, known, request.remoteAddress)
  return known.requester
}

/** <https://spec.matrix.org/v1.19/client-server-api/#account-locking> */
export function accountLocked(): MatrixError {
  return matrixError('M_USER_LOCKED', 'This account has been locked by an administrator.', {
    extra: { soft_logout: true },
  })
}

const LOGOUT = /^\/_matrix\/client\/[a-z0-9]+\/logout(?:\/all)?$/

async function knownToken(deps: AuthenticateDeps, token: string): Promise<KnownToken | undefined> {
  const key = tokenKey(token, 'access')
  if (key === undefined) return undefined
  const cached = deps.accounts.requesters.get(key)
  if (cached !== undefined) return cached
  const hash = Buffer.from(key, 'base64')
  const mark = deps.accounts.requesters.mark()
  const owner = await storage.tokenOwner(deps.db, hash)
  if (owner === undefined) return undefined
  const known = knownFrom(owner)
  const expired = owner.expires_ms !== null && owner.expires_ms <= deps.clock.nowMs()
  if (owner.is_confirmed === 0 && !expired) {
    if (!(await confirm(deps, hash, owner))) return undefined
    // Confirming revoked others, so the next request reads again, and remembers.
    return known
  }
  deps.accounts.requesters.set(key, known, mark)
  return known
}

function knownFrom(owner: storage.TokenOwnerRow): KnownToken {
  const requester: Requester = {
    userId: owner.user_id as UserId,
    userNid: owner.user_nid,
    deviceId: owner.device_id as DeviceId,
    deviceNid: owner.device_nid,
    isGuest: owner.kind === ACCOUNT_KINDS.guest,
    isAdmin: owner.is_admin === 1,
    isSuspended: owner.is_suspended === 1,
  }
  return {
    requester,
    isLocked: owner.is_locked === 1,
    expiresMs: owner.expires_ms ?? undefined,
    seenMs: owner.last_seen_ms ?? 0,
  }
}

/**
 * The first use of a refreshed token ends those that it replaces.
 * <https://spec.matrix.org/v1.19/client-server-api/#refreshing-access-tokens>
 * @returns whether the token is still there
 */
async function confirm(deps: AuthenticateDeps, hash: Uint8Array, owner: storage.TokenOwnerRow): Promise<boolean> {
  const session = { deviceNid: owner.device_nid, generation: owner.generation }
  try {
    await deps.db.commit([
      storage.confirmAccessToken(hash),
      storage.deleteAccessTokensBefore(session),
      storage.consumeRefreshTokensBefore({ ...session, nowMs: deps.clock.nowMs() }),
    ])
  } catch (error) {
    // Another request with this token was faster, or the token was revoked meanwhile.
    if (error instanceof ExpectationFailed) return (await storage.tokenOwner(deps.db, hash)) !== undefined
    throw error
  }
  deps.accounts.requesters.forgetDevices([owner.device_nid])
  return true
}
