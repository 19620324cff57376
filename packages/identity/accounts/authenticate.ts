/** Who asks, by their token. <https://spec.matrix.org/v1.19/identity-service-api/#authentication> */
import type { Clock } from '@holdfast/platform/clock/clock'
import type { Database } from '@holdfast/platform/database/database'
import type { HttpRequest } from '@holdfast/platform/http/service'
import { matrixError } from '@holdfast/protocol/errors'
import type { UserId } from '@holdfast/protocol/ids/brand'
import { deleteToken, deleteTokensUnusedSince, insertToken, tokenOwner, touchToken } from '../storage/accounts.ts'
import type { Random } from '@holdfast/platform/random/random'
import { newToken, tokenHash } from './tokens.ts'

type Deps = { readonly db: Database; readonly clock: Clock }

export type Requester = { readonly userId: UserId; readonly tokenHash: Uint8Array }

/** Clients register anew when a token is gone, at the cost of one request. */
export const TOKEN_UNUSED_MS_MAX = 90 * 24 * 3_600_000
const TOUCH_MS = 24 * 3_600_000

/** @throws M_UNAUTHORIZED */
export async function authenticate({ db, clock }: Deps, request: HttpRequest): Promise<Requester> {
  const token = tokenOf(request)
  if (token === undefined) throw matrixError('M_UNAUTHORIZED', 'This endpoint needs an access token of this service.')
  const hash = tokenHash(token)
  const owner = hash === undefined ? undefined : await tokenOwner(db, hash)
  const nowMs = clock.nowMs()
  if (hash === undefined || owner === undefined || owner.used_ms + TOKEN_UNUSED_MS_MAX <= nowMs) {
    throw matrixError('M_UNAUTHORIZED', 'The access token is not known here (any more).')
  }
  if (owner.used_ms + TOUCH_MS <= nowMs) await db.commit([touchToken(hash, nowMs)])
  return { userId: owner.user_id as UserId, tokenHash: hash }
}

export async function giveToken(deps: Deps & { readonly random: Random }, userId: UserId): Promise<string> {
  const token = newToken(deps.random)
  await deps.db.commit([insertToken({ hash: tokenHash(token)!, userId, nowMs: deps.clock.nowMs() })])
  return token
}

export async function takeTokenBack({ db }: Pick<Deps, 'db'>, requester: Requester): Promise<void> {
  await db.commit([deleteToken(requester.tokenHash)])
}

export async function forgetUnusedTokens({ db, clock }: Deps): Promise<void> {
  await db.commit([deleteTokensUnusedSince(clock.nowMs() - TOKEN_UNUSED_MS_MAX)])
}

function tokenOf({ headers, query }: HttpRequest): string | undefined {
  const header = /^bearer +(\S+) *$/i.exec(headers['authorization'] ?? '')?.[1]
  // Clients before v1.20 may send it in the query.
  return header ?? new URLSearchParams(query).get('access_token') ?? undefined
}
