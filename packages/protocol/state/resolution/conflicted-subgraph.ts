/** The conflicted state subgraph of v2.1: every event on a path of auth events from one conflicted event to another. */
import { createFrontier, loadEdges } from './auth-walk.ts'
import { PAUSE } from './ledger.ts'
import type { Ledger, Step } from './ledger.ts'

/** <https://spec.matrix.org/v1.19/rooms/v12/#definitions> */
export function* conflictedSubgraph(ledger: Ledger, conflicted: Iterable<number>): Step<Set<number>> {
  const ends = new Set(conflicted)
  const reached = yield* reachedFrom(ledger, ends)
  const onPath = new Set<number>()
  // From the oldest on, so that it is known of every auth event whether it leads to a conflicted one.
  for (const nid of reached.reverse()) {
    if (ends.has(nid) || ledger.authNids(nid).some((auth) => onPath.has(auth))) onPath.add(nid)
    if (ledger.isPauseDue(1)) yield PAUSE
  }
  return onPath
}

/** The conflicted events and what they reach, newest first, down to the oldest of them: nothing older leads to any. */
function* reachedFrom(ledger: Ledger, ends: ReadonlySet<number>): Step<number[]> {
  const frontier = createFrontier()
  let oldest = Infinity
  for (const nid of ends) {
    frontier.add(nid)
    oldest = Math.min(oldest, nid)
    if (ledger.isPauseDue(1)) yield PAUSE
  }
  const reached: number[] = []
  for (let nid = frontier.next(); nid !== undefined; nid = frontier.next()) {
    reached.push(nid)
    const auths = yield* loadEdges(ledger, nid, frontier.waiting)
    for (const auth of auths) if (auth >= oldest) frontier.add(auth)
    if (ledger.isPauseDue(1)) yield PAUSE
  }
  return reached
}
