/** The auth difference: what is in the auth chains of some states and not of all. */
import { forEachInStateMap } from '../state-map.ts'
import { createFrontier, loadEdges, loadEvents } from './auth-walk.ts'
import { PAUSE } from './ledger.ts'
import type { Ledger, Step } from './ledger.ts'
import { agreedAt } from './partition.ts'
import type { Partition, StateMask } from './partition.ts'

/**
 * The auth difference without the events of the conflicted state set itself, to which it is added anyway.
 * <https://spec.matrix.org/v1.19/rooms/v12/#definitions>
 */
export function* authDifference(
  ledger: Ledger,
  partition: Partition,
  conflicted: ReadonlyMap<number, StateMask>,
): Step<Set<number>> {
  const found = yield* reachedBySome(ledger, partition, conflicted)
  if (found.size > 0) yield* removeReachedByAll(ledger, partition, found)
  return found
}

/** Walks from the conflicted events until everything that is left to visit is in the chain of every state. */
function* reachedBySome(
  ledger: Ledger,
  partition: Partition,
  conflicted: ReadonlyMap<number, StateMask>,
): Step<Set<number>> {
  const { everyState } = partition
  const walk = createMaskedWalk(everyState)
  for (const [nid, mask] of conflicted) {
    walk.reach(nid, mask)
    if (ledger.isPauseDue(1)) yield PAUSE
  }
  const found = new Set<number>()
  while (walk.isOpen()) {
    const next = walk.next()!
    const { nid } = next
    let { mask } = next
    if (mask !== everyState && !conflicted.has(nid)) {
      yield* loadEvents(ledger, nid, walk.waitingOpen)
      if (isAgreed(ledger, partition, nid)) mask = everyState
      else found.add(nid)
    }
    const auths = yield* loadEdges(ledger, nid, walk.waiting)
    for (const auth of auths) walk.reach(auth, mask)
    if (ledger.isPauseDue(2)) yield PAUSE
  }
  return found
}

function isAgreed(ledger: Ledger, partition: Partition, nid: number): boolean {
  const event = ledger.event(nid)
  return event !== undefined && agreedAt(partition, event.stateKeyNid) === nid
}

type MaskedWalk = {
  readonly reach: (nid: number, mask: StateMask) => void
  readonly next: () => { readonly nid: number; readonly mask: StateMask } | undefined
  /** Whether something waits that is not reached by every state. */
  readonly isOpen: () => boolean
  readonly waiting: () => Iterable<number>
  readonly waitingOpen: () => Iterable<number>
}

function createMaskedWalk(everyState: StateMask): MaskedWalk {
  const frontier = createFrontier()
  const masks = new Map<number, StateMask>()
  let open = 0
  return {
    reach: (nid, mask) => {
      const before = masks.get(nid)
      const after = (before ?? 0n) | mask
      if (before === after) return
      frontier.add(nid)
      masks.set(nid, after)
      if (before === undefined) open += after === everyState ? 0 : 1
      else if (after === everyState) open -= 1
    },
    next: () => {
      const nid = frontier.next()
      if (nid === undefined) return undefined
      const mask = masks.get(nid)!
      masks.delete(nid)
      if (mask !== everyState) open -= 1
      return { nid, mask }
    },
    isOpen: () => open > 0,
    waiting: () => frontier.waiting(),
    waitingOpen: () => [...masks].filter(([, mask]) => mask !== everyState).map(([nid]) => nid),
  }
}

/**
 * Takes out what is in the auth chain of an event that all states have in common. Between honest servers what was found is newer
 * than nearly all of those, which therefore cannot cite it: only events with a higher nid are looked at.
 */
function* removeReachedByAll(ledger: Ledger, partition: Partition, found: Set<number>): Step {
  let oldest = Infinity
  for (const nid of found) oldest = Math.min(oldest, nid)
  let level = agreedSince(partition, oldest)
  const seen = new Set(level)
  while (level.length > 0 && found.size > 0) {
    yield* ledger.load({ edges: level })
    const next: number[] = []
    for (const nid of level) {
      for (const auth of ledger.authNids(nid)) {
        if (auth < oldest || seen.has(auth)) continue
        seen.add(auth)
        found.delete(auth)
        next.push(auth)
      }
      if (ledger.isPauseDue(1)) yield PAUSE
    }
    level = next
  }
}

function agreedSince({ base, differing }: Partition, oldest: number): number[] {
  const nids: number[] = []
  forEachInStateMap(base, (key, nid) => {
    if (nid > oldest && !differing.has(key)) nids.push(nid)
  })
  return nids
}
