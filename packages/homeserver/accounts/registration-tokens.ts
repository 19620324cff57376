/** Registration tokens, made by who administers the server. */
import { ExpectationFailed } from '@holdfast/platform/database/database'
import { matrixError } from '@holdfast/protocol/errors'
import { isOpaqueId } from '@holdfast/protocol/ids/opaque'
import { SPEC_LIMITS } from '@holdfast/protocol/limits'
import type { Homeserver } from '../homeserver.ts'
import { insertRegistrationToken } from '../storage/registration-tokens.ts'

export type NewRegistrationToken = {
  /** Default: one is made up. */
  readonly token?: string
  /** Default: as often as wished. */
  readonly usesAllowed?: number
  /** Default: for ever. */
  readonly lifetimeMs?: number
}

const GENERATED_CHARACTERS = 24

/** @throws M_INVALID_PARAM if the token does not follow the grammar, or exists */
export async function createRegistrationToken(
  deps: Pick<Homeserver, 'db' | 'clock' | 'random'>,
  wanted: NewRegistrationToken = {},
): Promise<string> {
  const token = wanted.token ?? deps.random.text(GENERATED_CHARACTERS)
  if (!isOpaqueId(token) || token.length > SPEC_LIMITS.registrationTokenCharactersMax) {
    throw matrixError('M_INVALID_PARAM', 'A registration token has 1 to 64 characters of A-Z, a-z, 0-9, and ._~-')
  }
  const createdMs = deps.clock.nowMs()
  const expiresMs = wanted.lifetimeMs === undefined ? undefined : createdMs + wanted.lifetimeMs
  try {
    await deps.db.commit([insertRegistrationToken({ token, usesAllowed: wanted.usesAllowed, createdMs, expiresMs })])
  } catch (error) {
    if (error instanceof ExpectationFailed) throw matrixError('M_INVALID_PARAM', 'There is such a token already.')
    throw error
  }
  return token
}
