/** A walk down the auth events, from the newest to the oldest. */
import { createHeap } from './heap.ts'
import type { Ledger, Step } from './ledger.ts'

/** Events to visit, each once, by falling nid. */
export type Frontier = {
  readonly add: (nid: number) => void
  readonly next: () => number | undefined
  /** What is waiting, in no order. */
  readonly waiting: () => Iterable<number>
}

/** Whatever leads to an event has a higher nid, so it was visited before it. */
export function createFrontier(): Frontier {
  const heap = createHeap<number>((left, right) => left > right)
  const waiting = new Set<number>()
  return {
    add: (nid) => {
      if (waiting.has(nid)) return
      waiting.add(nid)
      heap.push(nid)
    },
    next: () => {
      const nid = heap.pop()
      if (nid !== undefined) waiting.delete(nid)
      return nid
    },
    waiting: () => waiting,
  }
}

/** The auth events of an event; to ask seldom, the edges of everything that waits with it are loaded, too. */
export function* loadEdges(ledger: Ledger, nid: number, waiting: () => Iterable<number>): Step<readonly number[]> {
  if (ledger.needsEdges(nid)) yield* ledger.load({ edges: [nid, ...waiting()] })
  const auths = ledger.authNids(nid)
  if (auths.some((auth) => auth >= nid)) throw new Error(`event ${nid} cites an auth event that came after it`)
  return auths
}

/** Waits for an event, and asks for those that wait with it. */
export function* loadEvents(ledger: Ledger, nid: number, waiting: () => Iterable<number>): Step {
  if (ledger.needsEvent(nid)) yield* ledger.load({ events: [nid, ...waiting()] })
}
