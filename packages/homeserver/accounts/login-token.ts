/** Login tokens: a session lets another client in, once, within two minutes. */
import type { Homeserver } from '../homeserver.ts'
import { TIME_LIMITS } from '@holdfast/protocol/limits'
import { deleteLoginTokensBefore, insertLoginToken } from '../storage/tokens.ts'
import type { Requester } from './requester.ts'
import { newToken, tokenHash } from './token.ts'

export const LOGIN_TOKEN_MS = TIME_LIMITS.loginTokenMs

export async function giveLoginToken(
  deps: Pick<Homeserver, 'db' | 'clock' | 'random'>,
  requester: Requester,
): Promise<string> {
  const nowMs = deps.clock.nowMs()
  const token = newToken(deps.random, 'login')
  const hash = tokenHash(token, 'login')!
  const insert = insertLoginToken({ hash, userNid: requester.userNid, expiresMs: nowMs + LOGIN_TOKEN_MS })
  await deps.db.commit([deleteLoginTokensBefore(nowMs), insert])
  return token
}
