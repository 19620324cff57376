/**
 * Transactions of other servers are worked off once: one that comes again while it is worked off waits for the same answer, and
 * one that comes again later gets it. After a restart it is worked off again, which changes nothing: events are known by their
 * ids, and EDUs that must come once by theirs.
 */
import { LRUCache } from 'lru-cache'
import { upTo } from '@holdfast/platform/cache/up-to'
import type { Clock } from '@holdfast/platform/clock/clock'
import type { ServerName } from '@holdfast/protocol/ids/brand'
import { TIME_LIMITS } from '@holdfast/protocol/limits'

export type ReceivedTransactions = {
  /** Failures are not remembered. */
  once<T extends object>(origin: ServerName, transactionId: string, work: () => Promise<T>): Promise<T>
}

const REMEMBERED_MAX = 20_000

export function openReceivedTransactions(clock: Pick<Clock, 'monotonicMs'>): ReceivedTransactions {
  const answers = new LRUCache<string, { readonly answer: Promise<object>; readonly startedMs: number }>({
    ...upTo(REMEMBERED_MAX),
  })
  return {
    once: <T extends object>(origin: ServerName, transactionId: string, work: () => Promise<T>): Promise<T> => {
      const key = `${origin} ${transactionId}`
      const known = answers.get(key)
      const nowMs = clock.monotonicMs()
      if (known !== undefined && nowMs - known.startedMs < TIME_LIMITS.federationTransactionKeptMs) {
        return known.answer as Promise<T>
      }
      const answer = work()
      answers.set(key, { answer, startedMs: nowMs })
      answer.catch(() => {
        if (answers.get(key)?.answer === answer) answers.delete(key)
      })
      return answer
    },
  }
}
