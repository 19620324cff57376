/** The way to the keys of other servers, and what their answers have to be. */
import type { Clock } from '@holdfast/platform/clock/clock'
import { parseNotaryAnswer, type Notary } from '@holdfast/protocol/federation/notary-answer'
import { parseServerKeys } from '@holdfast/protocol/federation/server-keys'
import type { ServerName } from '@holdfast/protocol/ids/brand'
import type { JsonObject, JsonValue } from '@holdfast/protocol/json/value'
import { RESPONSE_LIMITS, TIME_LIMITS } from '@holdfast/protocol/limits'
import type { Answer } from './known-server.ts'

export type FetchLimits = {
  readonly deadlineMs: number
  readonly responseBytesMax: number
  /** Also of a server that has been failing: how would it show that it is back, if not with a request that it signed? */
  readonly urgent: true
}

/** Unsigned requests: keys are what signatures are checked with. Both reject when there is no answer of status 200 that is JSON. */
export type KeyFetcher = {
  get(server: ServerName, path: string, limits: FetchLimits): Promise<JsonValue>
  post(server: ServerName, path: string, body: JsonObject, limits: FetchLimits): Promise<JsonValue>
}

/** What a notary is asked for: servers, the ids of their keys, and until when those have to be good. */
export type NotaryQuery = ReadonlyMap<ServerName, { readonly keyIds: readonly string[]; readonly validUntil: number }>

/** What a notary may answer at once. */
const NOTARY_SERVERS_MAX = 100

export type FetchDeps = { readonly fetcher: KeyFetcher; readonly clock: Pick<Clock, 'nowMs'> }

/** @throws {Error} with the reason why there are no keys */
export async function fetchKeys({ fetcher, clock }: FetchDeps, server: ServerName): Promise<Answer> {
  const json = await fetcher.get(server, '/_matrix/key/v2/server', {
    deadlineMs: TIME_LIMITS.federationQueryMs,
    responseBytesMax: RESPONSE_LIMITS.serverKeysBytesMax,
    urgent: true,
  })
  const published = parseServerKeys(json, server)
  if (!published.ok) throw new Error(published.message)
  return { published, text: textOf(json), fetchedMs: clock.nowMs() }
}

/** The keys of those servers that were asked for and that are signed as they must be. Rejects only if the notary itself is of no use. */
export async function fetchFromNotary(
  { fetcher, clock }: FetchDeps,
  notary: Notary,
  query: NotaryQuery,
): Promise<readonly Answer[]> {
  const answers: Answer[] = []
  const wanted = [...query]
  for (let index = 0; index < wanted.length; index += NOTARY_SERVERS_MAX) {
    const part = wanted.slice(index, index + NOTARY_SERVERS_MAX)
    const limits = {
      deadlineMs: TIME_LIMITS.federationQueryMs,
      responseBytesMax: part.length * RESPONSE_LIMITS.serverKeysBytesMax,
      urgent: true,
    } as const
    const json = await fetcher.post(notary.serverName, '/_matrix/key/v2/query', queryBody(part), limits)
    const parsed = parseNotaryAnswer(json, notary)
    if (!parsed.ok) throw new Error(parsed.message)
    for (const { json: entry, keys } of parsed.entries) {
      if (!keys.ok || !query.has(keys.serverName)) continue
      const text = textOf(entry)
      // Nor may one server's keys take up what is meant for all.
      if (Buffer.byteLength(text) > RESPONSE_LIMITS.serverKeysBytesMax) continue
      answers.push({ published: keys, text, fetchedMs: clock.nowMs() })
    }
  }
  return answers
}

function queryBody(wanted: readonly (readonly [ServerName, { keyIds: readonly string[]; validUntil: number }])[]) {
  const servers = wanted.map(([server, { keyIds, validUntil }]) => {
    const keys = keyIds.map((keyId) => [keyId, { minimum_valid_until_ts: validUntil }] as const)
    return [server, Object.fromEntries(keys)] as const
  })
  return { server_keys: Object.fromEntries(servers) }
}

function textOf(json: JsonValue): string {
  return JSON.stringify(json)
}
