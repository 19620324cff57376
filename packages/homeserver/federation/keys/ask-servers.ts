/** Asks servers for their own keys: each once at a time, and not again soon when it was in vain. */
import type { Clock } from '@holdfast/platform/clock/clock'
import type { Log } from '@holdfast/platform/log/log'
import type { ServerName } from '@holdfast/protocol/ids/brand'
import { openAttempts } from './attempts.ts'
import { openFetchSlots } from './fetch-slots.ts'
import { fetchKeys, type FetchDeps } from './key-fetcher.ts'
import type { KeyStore } from './key-store.ts'
import { UNKNOWN_SERVER, withOwnAnswer, type KnownServer } from './known-server.ts'
import type { Wanted } from './wanted.ts'

/**
 * Who makes us ask: somebody who has not proven anything yet, or a server that has. The first must never be in the way of the
 * second.
 */
export type Asker = 'anybody' | 'proven'

export type ServerAsker = {
  /** @returns whether the server was asked, now or at the same time by somebody else */
  ask(server: ServerName, wanted: Wanted, asker: Asker): Promise<boolean>
}

export type ServerAskerDeps = {
  readonly store: KeyStore
  readonly clock: Clock
  readonly fetch: FetchDeps
  readonly log: Log
}

const SLOTS = {
  anybody: { atOnceMax: 16, atOnceByHostMax: 2, waitingMax: 64 },
  proven: { atOnceMax: 64, atOnceByHostMax: 4, waitingMax: 5_000 },
} as const

export function openServerAsker({ store, clock, fetch, log }: ServerAskerDeps): ServerAsker {
  const attempts = openAttempts(clock)
  const slots = { anybody: openFetchSlots(SLOTS.anybody), proven: openFetchSlots(SLOTS.proven) }
  const flights = new Map<ServerName, Promise<KnownServer | undefined>>()

  /** Undefined if there was no room to ask. */
  async function askNow(server: ServerName, asker: Asker): Promise<KnownServer | undefined> {
    const answer = await slots[asker].run(server, async () => {
      try {
        return await fetchKeys(fetch, server)
      } catch (error) {
        log.debug({ server, err: error }, 'a server does not tell its keys')
        return 'none'
      }
    })
    if (answer === undefined) return undefined
    return answer === 'none' ? UNKNOWN_SERVER : store.update(server, (known) => withOwnAnswer(known, answer))
  }

  return {
    ask: async (server, wanted, asker) => {
      const flying = flights.get(server)
      if (flying !== undefined) return (await flying) !== undefined
      if (!attempts.mayAsk(server)) return false
      const flight = askNow(server, asker).finally(() => flights.delete(server))
      flights.set(server, flight)
      const known = await flight
      if (known !== undefined) attempts.asked(server, wanted.isMet(known) ? 'found' : 'in vain')
      return known !== undefined
    },
  }
}
