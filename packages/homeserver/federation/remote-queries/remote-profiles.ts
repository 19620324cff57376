/** Profiles of other servers' users, asked for once in a while. <https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1queryprofile> */
import { LRUCache } from 'lru-cache'
import type { Clock } from '@holdfast/platform/clock/clock'
import { MatrixError, matrixError } from '@holdfast/protocol/errors'
import type { UserId } from '@holdfast/protocol/ids/brand'
import { serverNameOf } from '@holdfast/protocol/ids/common'
import { isNamespacedId } from '@holdfast/protocol/ids/opaque'
import { emptyObject, type JsonObject, type JsonValue } from '@holdfast/protocol/json/value'
import { SPEC_LIMITS, TIME_LIMITS } from '@holdfast/protocol/limits'
import { TEXT_FIELDS } from '../../accounts/profile-field.ts'
import { ask, BadAnswer, part } from '../remote-rooms/ask.ts'
import type { FederationClient } from '../transport/federation-client.ts'
import { FederationFailed } from '../transport/federation-failed.ts'

export type RemoteProfiles = {
  /** @throws {MatrixError} M_NOT_FOUND, also if the server does not answer, and M_FORBIDDEN */
  of(userId: UserId): Promise<JsonObject>
  /** Whether it can be told without asking. */
  isKnown(userId: UserId): boolean
}

type Known = { readonly answer: Promise<JsonObject>; readonly untilMs: number }

const KEPT_MS = 5 * 60_000
/** A profile that is not there, or a server that is not. */
const FAILURE_KEPT_MS = 30_000
const KNOWN_MAX = 5_000
const ANSWER_BYTES_MAX = 2 * SPEC_LIMITS.profileBytesMax
const FIELDS_MAX = 100

export function openRemoteProfiles(deps: {
  readonly client: FederationClient
  readonly clock: Pick<Clock, 'monotonicMs'>
}): RemoteProfiles {
  const { client, clock } = deps
  const known = new LRUCache<UserId, Known>({ max: KNOWN_MAX })
  const fresh = (userId: UserId): Known | undefined => {
    const found = known.get(userId)
    return found !== undefined && clock.monotonicMs() < found.untilMs ? found : undefined
  }
  return {
    isKnown: (userId) => fresh(userId) !== undefined,
    of: (userId) => {
      const found = fresh(userId)
      if (found !== undefined) return found.answer
      const answer = askProfile(client, userId)
      known.set(userId, { answer, untilMs: clock.monotonicMs() + KEPT_MS })
      answer.catch((error: Error) => {
        if (known.get(userId)?.answer !== answer) return
        if (error instanceof MatrixError) known.set(userId, { answer, untilMs: clock.monotonicMs() + FAILURE_KEPT_MS })
        else known.delete(userId)
      })
      return answer
    },
  }
}

async function askProfile(client: FederationClient, userId: UserId): Promise<JsonObject> {
  const server = serverNameOf(userId)
  const path = `/_matrix/federation/v1/query/profile?user_id=${part(userId)}`
  const said = await ask(
    { client, server, urgent: true, deadlineMs: TIME_LIMITS.federationQueryMs },
    { method: 'GET', path, responseBytesMax: ANSWER_BYTES_MAX },
  ).catch((error: Error) => {
    throw asMatrixError(error)
  })
  const profile = emptyObject()
  const fields = Object.entries(said).filter(([name, value]) => isField(name, value))
  for (const [name, value] of fields.slice(0, FIELDS_MAX)) profile[name] = value
  if (Buffer.byteLength(JSON.stringify(profile)) < SPEC_LIMITS.profileBytesMax) return profile
  throw matrixError('M_NOT_FOUND', 'The profile is larger than a profile may be.')
}

function asMatrixError(error: Error): Error {
  if (error instanceof FederationFailed && error.errcode === 'M_FORBIDDEN') {
    return matrixError('M_FORBIDDEN', 'The server of this user does not tell the profile.')
  }
  if (!(error instanceof FederationFailed) && !(error instanceof BadAnswer)) return error
  return matrixError('M_NOT_FOUND', `The server of this user gave no profile: ${error.message}`)
}

function isField(name: string, value: JsonValue): boolean {
  if (Buffer.byteLength(name) > SPEC_LIMITS.profileKeyBytesMax || !isNamespacedId(name)) return false
  // Longer ones than our own users may have are left out.
  const charactersMax = Object.hasOwn(TEXT_FIELDS, name) ? TEXT_FIELDS[name] : undefined
  return charactersMax === undefined || (typeof value === 'string' && value.length <= charactersMax)
}
