/** Public keys of servers, ours among them: found, kept, and told to others. */
import type { Clock } from '@holdfast/platform/clock/clock'
import type { Database } from '@holdfast/platform/database/database'
import type { Log } from '@holdfast/platform/log/log'
import { isKeyValidForRequest } from '@holdfast/protocol/federation/key-validity'
import type { ServerName } from '@holdfast/protocol/ids/brand'
import type { VerifyKey } from '@holdfast/protocol/signing/verify-key'
import type { KeyFetcher } from './key-fetcher.ts'
import { openKeySearch } from './key-search.ts'
import { openKeyStore } from './key-store.ts'
import { UNKNOWN_SERVER, type KnownKey, type KnownServer } from './known-server.ts'
import { openOwnKeys, type OwnKeys } from './own-keys.ts'
import type { SigningKeys } from './signing-keys.ts'
import type { Wanted } from './wanted.ts'

/** One signature that is to be checked: any of the keys is enough. */
export type KeyRequest = {
  readonly server: ServerName
  readonly keyIds: readonly string[]
  /** When the key must be good, ms; undefined: whenever. */
  readonly validAt: number | undefined
}

export type KnownKeys = ReadonlyMap<ServerName, ReadonlyMap<string, KnownKey>>

/** The newest word of a server about its keys, wanted by somebody else. */
export type ResponseRequest = {
  readonly server: ServerName
  /** None: whatever the server has. */
  readonly keyIds: readonly string[]
  readonly validUntil: number
}

type FindOptions = {
  /** Ends the waiting; what is known by then is answered. */
  readonly signal?: AbortSignal
}

export type ServerKeys = {
  /**
   * Keys by server and key id; those that cannot be had, or were not good at the time of a request that names them, are absent.
   * Servers are asked in parallel, each once at a time, then the notaries for those that did not help.
   */
  find(
    requests: readonly KeyRequest[],
    options?: FindOptions,
  ): Promise<ReadonlyMap<ServerName, ReadonlyMap<string, VerifyKey>>>
  /** As `find`, with how long each key is good, and whether or not it is. */
  lookUp(requests: readonly KeyRequest[], options?: FindOptions): Promise<KnownKeys>
  /** Keys with which the server may sign a request now. Whoever claims to be the server has not proven it yet. */
  forRequest(server: ServerName, keyIds: readonly string[]): Promise<ReadonlyMap<string, VerifyKey>>
  /** The signed answers of servers, for a notary to pass on: JSON texts. Those that nothing is known of are absent. */
  responses(requests: readonly ResponseRequest[]): Promise<ReadonlyMap<ServerName, string>>
  readonly own: OwnKeys
}

export type ServerKeysDeps = {
  readonly serverName: ServerName
  readonly signingKeys: SigningKeys
  readonly db: Database
  readonly clock: Clock
  readonly log: Log
  readonly fetcher: KeyFetcher
  /** Servers that are believed about the keys of others that cannot be reached. */
  readonly notaries: readonly ServerName[]
}

export function openServerKeys(deps: ServerKeysDeps): ServerKeys {
  const { serverName, clock } = deps
  const own = openOwnKeys(deps)
  const store = openKeyStore(deps.db)
  const keySearch = openKeySearch({ ...deps, store, fetch: deps, log: deps.log.named('server-keys') })

  async function lookUp(requests: readonly KeyRequest[], { signal }: FindOptions = {}): Promise<KnownKeys> {
    const wanted = wantedByServer(requests.filter(({ server }) => server !== serverName))
    const searched = keySearch.search(wanted, { asker: 'proven', notaries: true })
    const known = (await unlessAborted(searched, signal)) ?? (await store.load([...wanted.keys()]))
    const keys = new Map([...known].map(([server, one]) => [server, one.keys]))
    if (requests.some(({ server }) => server === serverName)) keys.set(serverName, own.known())
    return keys
  }

  return {
    own,
    lookUp,
    find: async (requests, options) => {
      const known = await lookUp(requests, options)
      return new Map([...known].map(([server, keys]) => [server, goodKeys(keys, requestsOf(requests, server))]))
    },
    forRequest: async (server, keyIds) => {
      const isValid = (key: KnownKey | undefined) =>
        key !== undefined && isKeyValidForRequest(key.lifetime, clock.nowMs())
      const isMet = ({ keys }: KnownServer) =>
        keyIds.some((keyId) => isValid(keys.get(keyId)) || isGivenUp(keys.get(keyId)))
      const wanted = new Map([[server, { keyIds, validUntil: clock.nowMs(), isMet }]])
      const { keys } =
        (await keySearch.search(wanted, { asker: 'anybody', notaries: true })).get(server) ?? UNKNOWN_SERVER
      const named = keyIds.map((keyId) => [keyId, keys.get(keyId)] as const)
      return new Map(named.flatMap(([keyId, known]) => (isValid(known) ? [[keyId, known!.key]] : [])))
    },
    responses: async (requests) => {
      const wanted = new Map(requests.map((request) => [request.server, wantedResponse(request)]))
      wanted.delete(serverName)
      const known = await keySearch.search(wanted, { asker: 'anybody', notaries: false })
      const texts = [...known].flatMap(([server, { response }]) =>
        response === undefined ? [] : [[server, response.text] as const],
      )
      const asksForOurs = requests.some(({ server }) => server === serverName)
      return new Map(asksForOurs ? [...texts, [serverName, JSON.stringify(own.published())]] : texts)
    },
  }
}

function requestsOf(requests: readonly KeyRequest[], server: ServerName): readonly KeyRequest[] {
  return requests.filter((request) => request.server === server)
}

function wantedByServer(requests: readonly KeyRequest[]): ReadonlyMap<ServerName, Wanted> {
  const byServer = Map.groupBy(requests, ({ server }) => server)
  return new Map([...byServer].map(([server, ofServer]) => [server, wantedBy(ofServer)]))
}

function wantedBy(requests: readonly KeyRequest[]): Wanted {
  const keyIds = [...new Set(requests.flatMap((request) => request.keyIds))]
  // Not by spreading: they may be more than a call may have arguments.
  const validUntil = requests.reduce((latest, { validAt }) => Math.max(latest, validAt ?? 0), 0)
  const isMet = ({ keys }: KnownServer) =>
    requests.every(({ keyIds: ids, validAt }) =>
      ids.some((id) => isGoodAt(keys.get(id), validAt) || isGivenUp(keys.get(id))),
    )
  return { keyIds, validUntil, isMet }
}

function wantedResponse({ keyIds, validUntil }: ResponseRequest): Wanted {
  const isMet = ({ response, keys }: KnownServer) =>
    response !== undefined && response.validUntilMs >= validUntil && keyIds.every((keyId) => keys.has(keyId))
  return { keyIds, validUntil, isMet }
}

/** To ask again would change nothing: no server takes up a key that it has given up. */
function isGivenUp(known: KnownKey | undefined): boolean {
  return known?.lifetime.kind === 'old' && known.isDirect
}

function isGoodAt(known: KnownKey | undefined, timeMs: number | undefined): boolean {
  if (known === undefined) return false
  const { lifetime } = known
  if (timeMs === undefined) return true
  return timeMs <= (lifetime.kind === 'old' ? lifetime.expiredTs : lifetime.validUntilTs)
}

/** Those keys that are good for every request that names them. */
function goodKeys(
  keys: ReadonlyMap<string, KnownKey>,
  requests: readonly KeyRequest[],
): ReadonlyMap<string, VerifyKey> {
  const good = new Map<string, VerifyKey>()
  for (const [keyId, known] of keys) {
    const naming = requests.filter(({ keyIds }) => keyIds.includes(keyId))
    if (naming.length > 0 && naming.every(({ validAt }) => isGoodAt(known, validAt))) good.set(keyId, known.key)
  }
  return good
}

/** Undefined if the signal was faster. */
async function unlessAborted<Result>(
  work: Promise<Result>,
  signal: AbortSignal | undefined,
): Promise<Result | undefined> {
  if (signal === undefined) return work
  if (signal.aborted) {
    void work.catch(() => undefined)
    return undefined
  }
  const { promise, resolve } = Promise.withResolvers<undefined>()
  const abort = () => resolve(undefined)
  signal.addEventListener('abort', abort, { once: true })
  try {
    return await Promise.race([work, promise])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
