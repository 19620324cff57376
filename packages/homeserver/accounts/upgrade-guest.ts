/** A guest who becomes a user of the same name. <https://spec.matrix.org/v1.19/client-server-api/#guest-access> */
import { matrixError } from '@holdfast/protocol/errors'
import type { UserId } from '@holdfast/protocol/ids/brand'
import type { JsonObject } from '@holdfast/protocol/json/value'
import type { Homeserver } from '../homeserver.ts'
import { ACCOUNT_KINDS } from '../storage/accounts.ts'
import { tokenOwner } from '../storage/tokens.ts'
import { tokenKey } from './token.ts'

export type UpgradingGuest = { readonly userNid: number; readonly deviceNid: number }

/**
 * The guest who registers the name they have; undefined if it is not a guest who registers.
 * @throws M_FORBIDDEN if the token is not that of a guest of this name
 */
export async function upgradingGuest(
  deps: Pick<Homeserver, 'db' | 'clock'>,
  body: JsonObject,
  userId: UserId | undefined,
): Promise<UpgradingGuest | undefined> {
  const token = body['guest_access_token']
  if (token === undefined) return undefined
  const key = typeof token === 'string' ? tokenKey(token, 'access') : undefined
  const owner = key === undefined ? undefined : await tokenOwner(deps.db, Buffer.from(key, 'base64'))
  const isGuest = owner?.kind === ACCOUNT_KINDS.guest && owner.is_locked === 0
  const isExpired = (owner?.expires_ms ?? Infinity) <= deps.clock.nowMs()
  if (isGuest && !isExpired && owner.user_id === userId) {
    return { userNid: owner.user_nid, deviceNid: owner.device_nid }
  }
  throw matrixError('M_FORBIDDEN', '`guest_access_token` must be the token of a guest, and `username` their name.')
}
