/** Which servers were asked for their keys in vain, and when they may be asked again. */
import { LRUCache } from 'lru-cache'
import { upTo } from '@holdfast/platform/cache/up-to'
import type { Clock } from '@holdfast/platform/clock/clock'
import type { ServerName } from '@holdfast/protocol/ids/brand'

export type Attempts = {
  mayAsk(server: ServerName): boolean
  /** It was asked and had what was wanted, or not. */
  asked(server: ServerName, outcome: 'found' | 'in vain'): void
}

/** One that was pushed out is asked again at once; whoever pushes out so many has to name as many. */
const REMEMBERED_MAX = 20_000
const WAIT_MS_MIN = 15_000
/**
 * Not long: whoever names keys that a server does not have must not be able to keep us from its new one for hours. This is
 * also how often a server can be made to answer us by a forger.
 */
const WAIT_MS_MAX = 5 * 60_000

type Attempt = { readonly times: number; readonly notBeforeMs: number }

export function openAttempts(clock: Pick<Clock, 'monotonicMs'>): Attempts {
  const attempts = new LRUCache<ServerName, Attempt>(upTo(REMEMBERED_MAX))
  return {
    mayAsk: (server) => (attempts.get(server)?.notBeforeMs ?? 0) <= clock.monotonicMs(),
    asked: (server, outcome) => {
      if (outcome === 'found') {
        attempts.delete(server)
        return
      }
      const times = (attempts.get(server)?.times ?? 0) + 1
      const waitMs = Math.min(WAIT_MS_MIN * 2 ** (times - 1), WAIT_MS_MAX)
      attempts.set(server, { times, notBeforeMs: clock.monotonicMs() + waitMs })
    },
  }
}
