/** The mainline ordering. <https://spec.matrix.org/v1.19/rooms/v12/#definitions> */
import { citedEvent, loadAuthEvents } from './auth-checks.ts'
import { createHeap } from './heap.ts'
import { PAUSE } from './ledger.ts'
import type { Ledger, ResolutionEvent, Step } from './ledger.ts'
import { isEarlier } from './power-ordering.ts'

type Placed = { readonly event: ResolutionEvent; readonly position: number }

/** The events in the mainline ordering based on the power levels `tip`; their auth events are loaded already. */
export function* mainlineOrdering(
  ledger: Ledger,
  events: Iterable<ResolutionEvent>,
  tip: number | undefined,
): Step<readonly ResolutionEvent[]> {
  const heap = createHeap(comesFirst)
  const mainline = createMainline(ledger, tip)
  for (const event of events) {
    heap.push({ event, position: yield* mainline.positionOf(event.nid) })
    if (ledger.isPauseDue(2)) yield PAUSE
  }
  const order: ResolutionEvent[] = []
  for (let first = heap.pop(); first !== undefined; first = heap.pop()) {
    order.push(first.event)
    if (ledger.isPauseDue(2)) yield PAUSE
  }
  return order
}

function comesFirst(left: Placed, right: Placed): boolean {
  if (left.position !== right.position) return left.position > right.position
  return isEarlier(left.event.pdu, right.event.pdu)
}

type Mainline = { readonly positionOf: (nid: number) => Step<number> }

/**
 * The mainline is followed back only as far as an event asks for: power levels that it cites have a lower nid, so one that the
 * mainline has passed without meeting it is not on it.
 */
function createMainline(ledger: Ledger, tip: number | undefined): Mainline {
  const positions = new Map<number, number>()
  let end = tip
  const parents = new Map<number, number | undefined>()

  function* parentOf(nid: number): Step<number | undefined> {
    if (!parents.has(nid)) {
      yield* loadAuthEvents(ledger, [nid])
      const sought = { type: 'm.room.power_levels', stateKey: '', withRejected: true }
      parents.set(nid, citedEvent(ledger, nid, sought)?.nid)
    }
    return parents.get(nid)
  }

  function* extendTo(nid: number): Step {
    while (end !== undefined && end >= nid) {
      positions.set(end, positions.size)
      end = yield* parentOf(end)
      if (ledger.isPauseDue(1)) yield PAUSE
    }
  }

  /** Remembers, for power levels beside the mainline, where they leave it. */
  const known = new Map<number, number>()
  function* positionOf(nid: number): Step<number> {
    const beside: number[] = []
    let position: number | undefined
    let levels = yield* parentOf(nid)
    while (levels !== undefined && position === undefined) {
      yield* extendTo(levels)
      position = positions.get(levels) ?? known.get(levels)
      if (position !== undefined) break
      beside.push(levels)
      levels = yield* parentOf(levels)
      if (ledger.isPauseDue(1)) yield PAUSE
    }
    position ??= Infinity
    for (const passed of beside) known.set(passed, position)
    return position
  }

  return { positionOf }
}
