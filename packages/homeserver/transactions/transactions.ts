/** Transaction ids: the same request of the same device, sent again, is answered again and not done again. */
import { hash } from 'node:crypto'
import type { Database, Statement } from '@holdfast/platform/database/database'
import type { Clock } from '@holdfast/platform/clock/clock'
import { clientTransaction, insertClientTransaction, type TransactionKey } from '../storage/client-transactions.ts'

/** One transaction id of one device on one endpoint and path. */
export type ClientTransaction = TransactionKey & {
  /** The statement that remembers it, to be committed with what it does. `eventNid` is 0 where the answer is {}. */
  remember(eventNid: number): Statement
}

export type TransactionGuard = {
  /**
   * Runs `act` once for each transaction, however often and however simultaneously the request arrives, before or
   * after a restart; `replay` makes the answer of a transaction that was committed before.
   */
  once<T>(request: TransactionRequest<T>): Promise<T>
}

export type TransactionRequest<T> = {
  readonly deviceNid: number
  /** Method and path: the scope of a transaction id (client-server-api "Transaction identifiers"). */
  readonly method: string
  readonly path: string
  readonly act: (transaction: ClientTransaction) => Promise<T>
  readonly replay: (eventNid: number) => Promise<T>
}

export function openTransactionGuard(deps: { readonly db: Database; readonly clock: Clock }): TransactionGuard {
  const running = new Map<string, Promise<unknown>>()

  async function find<T>(request: TransactionRequest<T>, key: TransactionKey): Promise<T> {
    const before = await clientTransaction(deps.db, key)
    if (before !== undefined) return request.replay(before.event_nid)
    const createdMs = deps.clock.nowMs()
    return request.act({ ...key, remember: (eventNid) => insertClientTransaction({ ...key, eventNid, createdMs }) })
  }

  return {
    once: <T>(request: TransactionRequest<T>): Promise<T> => {
      const key = { deviceNid: request.deviceNid, requestHash: requestHash(request) }
      const name = `${key.deviceNid} ${key.requestHash}`
      const same = running.get(name)
      if (same !== undefined) return same as Promise<T>
      const act = find(request, key).finally(() => running.delete(name))
      running.set(name, act)
      return act
    },
  }
}

/** 53 bits of SHA-256. The same endpoint under another version prefix is the same endpoint. */
function requestHash(request: { readonly method: string; readonly path: string }): number {
  const path = request.path.replace(/^\/_matrix\/client\/[^/]+/, '')
  return Number.parseInt(hash('sha256', `${request.method} ${path}`, 'hex').slice(0, 13), 16)
}
