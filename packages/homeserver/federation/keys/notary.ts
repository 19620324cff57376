/** Answers for other servers about their keys, signed by us too. <https://spec.matrix.org/v1.19/server-server-api/#querying-keys-through-another-server> */
import type { Clock } from '@holdfast/platform/clock/clock'
import { createSlices } from '@holdfast/platform/clock/slices'
import { matrixError } from '@holdfast/protocol/errors'
import { isKeyId } from '@holdfast/protocol/federation/key-id'
import type { ServerName } from '@holdfast/protocol/ids/brand'
import { parseServerName } from '@holdfast/protocol/ids/server-name'
import { parseJson } from '@holdfast/protocol/json/parse'
import { isObject, type JsonObject } from '@holdfast/protocol/json/value'
import { INPUT_LIMITS } from '@holdfast/protocol/limits'
import { signJson } from '@holdfast/protocol/signing/sign-json'
import type { ResponseRequest, ServerKeys } from './server-keys.ts'
import type { SigningKeys } from './signing-keys.ts'

export type NotaryDeps = {
  readonly serverName: ServerName
  readonly clock: Clock
  readonly serverKeys: Pick<ServerKeys, 'responses'>
  readonly signingKeys: Pick<SigningKeys, 'current'>
}

/** Server → key id → what the key has to be good for. No key ids: whatever the server has. */
export type KeyQuery = Readonly<Record<string, Readonly<Record<string, { readonly minimum_valid_until_ts?: number }>>>>

/** Each is at most one request of ours to another server, if there is room for it, and one signature. */
const SERVERS_MAX = INPUT_LIMITS.notaryServersMax
const KEYS_PER_SERVER_MAX = 32

/**
 * `validUntil` holds for all of the query.
 * @returns the answer of each server about its keys with our signature added; servers that we know nothing of are left out
 * @throws M_INVALID_PARAM
 */
export async function answerKeyQuery(
  deps: NotaryDeps,
  query: KeyQuery,
  validUntil = 0,
): Promise<readonly JsonObject[]> {
  const requests = requestsOf(query, Math.max(deps.clock.nowMs(), validUntil))
  const responses = await deps.serverKeys.responses(requests)
  const slice = createSlices(deps.clock)
  const answers: JsonObject[] = []
  for (const [server, text] of responses) {
    answers.push(server === deps.serverName ? jsonOf(text) : countersigned(deps, jsonOf(text)))
    await slice()
  }
  return answers
}

function requestsOf(query: KeyQuery, validUntil: number): readonly ResponseRequest[] {
  const servers = Object.entries(query)
  if (servers.length > SERVERS_MAX) {
    throw matrixError('M_INVALID_PARAM', `At most ${SERVERS_MAX} servers can be asked for at once.`)
  }
  return servers.map(([name, keys]) => {
    const server = parseServerName(name)
    if (server === undefined) throw matrixError('M_INVALID_PARAM', 'A key of `server_keys` is not a server name.')
    const criteria = Object.entries(keys)
    if (criteria.length > KEYS_PER_SERVER_MAX || !criteria.every(([keyId]) => isKeyId(keyId))) {
      throw matrixError(
        'M_INVALID_PARAM',
        `\`server_keys\` must name at most ${KEYS_PER_SERVER_MAX} key ids of a server.`,
      )
    }
    const wanted = criteria.map(([, { minimum_valid_until_ts: until }]) => until ?? 0)
    return { server, keyIds: criteria.map(([keyId]) => keyId), validUntil: Math.max(validUntil, ...wanted) }
  })
}

function countersigned({ serverName, signingKeys }: NotaryDeps, keys: JsonObject): JsonObject {
  return signJson(keys, { signer: serverName, key: signingKeys.current() })
}

function jsonOf(text: string): JsonObject {
  const parsed = parseJson(text)
  if (!parsed.ok || !isObject(parsed.value)) throw new Error('stored server keys are not a JSON object')
  return parsed.value
}
