/** New tokens for a session, and the end of a session whose refresh token is used twice. */
import { ExpectationFailed } from '@holdfast/platform/database/database'
import { matrixError, type MatrixError } from '@holdfast/protocol/errors'
import type { Homeserver } from '../homeserver.ts'
import * as storage from '../storage/tokens.ts'
import { accountLocked } from './authenticate.ts'
import { newSecrets, tokenStatements, type Secrets } from './session.ts'
import { tokenHash } from './token.ts'

type RefreshDeps = Pick<Homeserver, 'db' | 'clock' | 'random' | 'accounts'>

/** A client that sent two refreshes at once is told no, and keeps its session; a thief who comes later ends it. */
export const REUSE_GRACE_MS = 15_000

/** How many used refresh tokens of a session are remembered; older ones are unknown, and harmless. */
const REMEMBERED_GENERATIONS = 100

/**
 * The tokens given before stay good until one of the new ones is used, so that an answer may be lost; a second refresh
 * before that replaces the first one's tokens.
 * @throws M_UNKNOWN_TOKEN, M_USER_LOCKED
 */
export async function refreshSession(deps: RefreshDeps, token: string): Promise<Secrets> {
  const hash = tokenHash(token, 'refresh')
  const row = hash === undefined ? undefined : await storage.refreshToken(deps.db, hash)
  if (hash === undefined || row === undefined) throw unknownToken()
  if (row.is_locked === 1) throw accountLocked()
  if (row.consumed_ms !== null) return endReused(deps, row, row.consumed_ms)
  try {
    return await rotate(deps, hash, row)
  } catch (error) {
    // Another request used or replaced it in between.
    throw error instanceof ExpectationFailed ? consumedToken() : error
  }
}

async function rotate(deps: RefreshDeps, hash: Uint8Array, row: storage.RefreshTokenRow): Promise<Secrets> {
  const { user_nid: userNid, device_nid: deviceNid, generation } = row
  const next = generation + 1
  const secrets = newSecrets(deps, true)
  await deps.db.commit([
    storage.requireUnconsumed(hash),
    // This is the first use of this generation: the one before it ends.
    storage.deleteAccessTokensBefore({ deviceNid, generation }),
    storage.consumeRefreshTokensBefore({ deviceNid, generation, nowMs: deps.clock.nowMs() }),
    storage.deleteRefreshTokensBefore({ deviceNid, generation: generation - REMEMBERED_GENERATIONS }),
    storage.deleteAccessTokensFrom({ deviceNid, generation: next }),
    storage.deleteRefreshTokensFrom({ deviceNid, generation: next }),
    ...tokenStatements(deps, { userNid, deviceNid, generation: next }, { ...secrets, isConfirmed: 0 }),
  ])
  deps.accounts.requesters.forgetDevices([deviceNid])
  return secrets
}

/** A refresh token that was used before is in two hands: neither is trusted any more. */
async function endReused(deps: RefreshDeps, row: storage.RefreshTokenRow, consumedMs: number): Promise<never> {
  if (Math.abs(deps.clock.nowMs() - consumedMs) > REUSE_GRACE_MS) {
    const deviceNids = [row.device_nid]
    await deps.db.commit([storage.deleteAccessTokens(deviceNids), storage.deleteRefreshTokens(deviceNids)])
    deps.accounts.requesters.forgetDevices(deviceNids)
  }
  throw consumedToken()
}

function unknownToken(): MatrixError {
  return matrixError('M_UNKNOWN_TOKEN', 'This refresh token is not known here; log in again.')
}

/** The device is still there, and with it what the client keeps for it: it may log in to it again. */
function consumedToken(): MatrixError {
  return matrixError('M_UNKNOWN_TOKEN', 'This refresh token was used already; log in again.', {
    extra: { soft_logout: true },
  })
}
