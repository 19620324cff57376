/** Asks notaries for the keys of servers that do not answer themselves. */
import type { Clock } from '@holdfast/platform/clock/clock'
import type { Log } from '@holdfast/platform/log/log'
import { isKeyValidForRequest } from '@holdfast/protocol/federation/key-validity'
import type { Notary } from '@holdfast/protocol/federation/notary-answer'
import type { ServerName } from '@holdfast/protocol/ids/brand'
import type { ServerAsker } from './ask-servers.ts'
import { fetchFromNotary, type FetchDeps } from './key-fetcher.ts'
import type { KeyStore } from './key-store.ts'
import { UNKNOWN_SERVER, withNotaryAnswer, type Answer, type KnownServer } from './known-server.ts'
import { unmet, type WantedServers } from './wanted.ts'

export type AskNotariesDeps = {
  readonly store: KeyStore
  readonly clock: Clock
  readonly fetch: FetchDeps
  readonly servers: ServerAsker
  readonly notaries: readonly ServerName[]
  readonly log: Log
}

/** An answer is refused if the notary has a new key, so its keys are looked at again from time to time. */
const NOTARY_KEYS_AGE_MS_MAX = 3_600_000

/** One notary after the other, until everything is found. */
export async function askNotaries(deps: AskNotariesDeps, wanted: WantedServers): Promise<void> {
  const { store } = deps
  let left = wanted
  for (const notary of deps.notaries) {
    if (left.size === 0) return
    const answers = await answersOf(deps, notary, left)
    await Promise.all(
      answers.map((answer) => store.update(answer.published.serverName, (known) => withNotaryAnswer(known, answer))),
    )
    left = await unmet(store, left)
  }
}

async function answersOf(deps: AskNotariesDeps, notary: ServerName, wanted: WantedServers): Promise<readonly Answer[]> {
  const query = new Map([...wanted].filter(([server]) => server !== notary))
  if (query.size === 0) return []
  try {
    return await fetchFromNotary(deps.fetch, await knownNotary(deps, notary), query)
  } catch (error) {
    deps.log.warn({ notary, err: error }, 'a notary is of no use')
    return []
  }
}

async function knownNotary({ store, clock, servers }: AskNotariesDeps, serverName: ServerName): Promise<Notary> {
  const isMet = ({ response }: KnownServer) =>
    response !== undefined && response.isDirect && response.fetchedMs + NOTARY_KEYS_AGE_MS_MAX > clock.nowMs()
  const wanted = { keyIds: [], validUntil: clock.nowMs(), isMet }
  if ((await unmet(store, new Map([[serverName, wanted]]))).size > 0) await servers.ask(serverName, wanted, 'proven')
  const { keys } = (await store.load([serverName])).get(serverName) ?? UNKNOWN_SERVER
  const keyOf = (keyId: string) => {
    const known = keys.get(keyId)
    return known?.isDirect === true && isKeyValidForRequest(known.lifetime, clock.nowMs()) ? known.key : undefined
  }
  return { serverName, keyOf }
}
