/** POST /keys/query from within: local keys from here, others from their servers or what those told before. */
import { matrixError } from '@holdfast/protocol/errors'
import type { ServerName, UserId } from '@holdfast/protocol/ids/brand'
import { serverNameOf } from '@holdfast/protocol/ids/common'
import type { JsonObject } from '@holdfast/protocol/json/value'
import { INPUT_LIMITS } from '@holdfast/protocol/limits'
import type { Requester } from '../accounts/requester.ts'
import type { Homeserver } from '../homeserver.ts'
import { queryLocalKeys } from './local-keys.ts'
import type { KeyQuery } from './remote-keys.ts'
import { queryRemoteKeys } from './remote-query.ts'
import { addAnswer, type KeyAnswer } from './shown-keys.ts'

export type QueryAnswer = KeyAnswer & { readonly failures: ReadonlyMap<ServerName, JsonObject> }

export async function queryKeys(
  deps: Homeserver,
  requester: Requester,
  { query, timeoutMs }: { readonly query: KeyQuery; readonly timeoutMs: number },
): Promise<QueryAnswer> {
  requireBoundedQuery(query)
  const remote = new Map<UserId, readonly string[]>()
  for (const [userId, devices] of query) if (serverNameOf(userId) !== deps.serverName) remote.set(userId, devices)
  const answer = await queryLocalKeys(deps, query, requester)
  if (remote.size === 0) return { ...answer, failures: new Map() }
  const others = await queryRemoteKeys(deps, requester, { query: remote, timeoutMs })
  addAnswer(answer, others)
  return { ...answer, failures: others.failures }
}

/** @throws {MatrixError} M_INVALID_PARAM */
export function requireBoundedQuery(query: KeyQuery): void {
  if (query.size <= INPUT_LIMITS.keysQueryUsersMax) return
  throw matrixError('M_INVALID_PARAM', `The keys of at most ${INPUT_LIMITS.keysQueryUsersMax} users are given at once.`)
}
