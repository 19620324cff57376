/** Orders of events in which each comes after those that it cites. */
import type { EventId } from '@holdfast/protocol/ids/brand'
import { yieldToLoop } from '@holdfast/platform/clock/yield'

type Citing<Item> = {
  readonly idOf: (item: Item) => EventId
  readonly citedBy: (item: Item) => readonly EventId[]
}

/** Steps after which others may go on. */
const STEPS_PER_TURN = 1_000

/**
 * The items so that each comes after those of them that it cites, otherwise in their own order. Ids are hashes, so that circles
 * exist in room versions 1 and 2 only; what is in one comes last.
 */
export function inCitedOrder<Item>(items: readonly Item[], citing: Citing<Item>): Item[] {
  const work = ordering(items, citing)
  for (;;) {
    const { done, value } = work.next()
    if (done === true) return value
  }
}

/** The same for many: the event loop goes on meanwhile. */
export async function manyInCitedOrder<Item>(items: readonly Item[], citing: Citing<Item>): Promise<Item[]> {
  const work = ordering(items, citing)
  for (;;) {
    const { done, value } = work.next()
    if (done === true) return value
    await yieldToLoop()
  }
}

/** Yields now and then. */
function* ordering<Item>(items: readonly Item[], { idOf, citedBy }: Citing<Item>): Generator<undefined, Item[]> {
  const byId = new Map<EventId, Item>()
  for (const [index, item] of items.entries()) {
    byId.set(idOf(item), item)
    if (index % STEPS_PER_TURN === STEPS_PER_TURN - 1) yield
  }
  const waitingFor = new Map<EventId, number>()
  const citing = new Map<EventId, EventId[]>()
  for (const [id, item] of byId) {
    const cited = new Set(citedBy(item).filter((other) => other !== id && byId.has(other)))
    waitingFor.set(id, cited.size)
    for (const other of cited) {
      const list = citing.get(other)
      if (list === undefined) citing.set(other, [id])
      else list.push(id)
    }
    if (waitingFor.size % STEPS_PER_TURN === 0) yield
  }
  const ordered = [...byId.keys()].filter((id) => waitingFor.get(id) === 0)
  for (let index = 0; index < ordered.length; index += 1) {
    for (const id of citing.get(ordered[index]!) ?? []) {
      const left = waitingFor.get(id)! - 1
      waitingFor.set(id, left)
      if (left === 0) ordered.push(id)
    }
    if (index % STEPS_PER_TURN === STEPS_PER_TURN - 1) yield
  }
  const rest = [...byId.keys()].filter((id) => waitingFor.get(id)! > 0)
  return [...ordered, ...rest].map((id) => byId.get(id)!)
}
