/** OpenID tokens: a user proves to another service who they are. <https://spec.matrix.org/v1.19/client-server-api/#openid> */
import { matrixError } from '@holdfast/protocol/errors'
import type { UserId } from '@holdfast/protocol/ids/brand'
import { TIME_LIMITS } from '@holdfast/protocol/limits'
import type { Requester } from '../accounts/requester.ts'
import { newToken, tokenHash } from '../accounts/token.ts'
import type { Homeserver } from '../homeserver.ts'
import { deleteOpenIdTokensBefore, insertOpenIdToken, openIdTokenOwner } from '../storage/openid-tokens.ts'

type TokenDeps = Pick<Homeserver, 'db' | 'clock'>

export const OPENID_TOKEN_MS = TIME_LIMITS.openIdTokenMs

export async function giveOpenIdToken(
  deps: TokenDeps & Pick<Homeserver, 'random'>,
  requester: Requester,
): Promise<string> {
  const nowMs = deps.clock.nowMs()
  const token = newToken(deps.random, 'openid')
  const insert = insertOpenIdToken({
    hash: tokenHash(token, 'openid')!,
    userNid: requester.userNid,
    expiresMs: nowMs + OPENID_TOKEN_MS,
  })
  await deps.db.commit([deleteOpenIdTokensBefore(nowMs), insert])
  return token
}

/** Who was given the token. It may be shown any number of times until it expires. @throws {MatrixError} M_UNKNOWN_TOKEN */
export async function ownerOfOpenIdToken(deps: TokenDeps, token: string): Promise<UserId> {
  const hash = tokenHash(token, 'openid')
  const owner = hash === undefined ? undefined : await openIdTokenOwner(deps.db, { hash, nowMs: deps.clock.nowMs() })
  if (owner === undefined) throw matrixError('M_UNKNOWN_TOKEN', 'The token is not known here, or it has expired.')
  return owner.user_id as UserId
}
