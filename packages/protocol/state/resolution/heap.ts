/** A binary heap: sorting that can be interrupted, and order among what keeps coming. */

export type Heap<T> = {
  readonly size: () => number
  readonly push: (item: T) => void
  /** The first item; undefined when there is none. */
  readonly pop: () => T | undefined
}

/** `isBefore` must be a strict total order, or the outcome would depend on the order of insertion. */
export function createHeap<T>(isBefore: (left: T, right: T) => boolean): Heap<T> {
  const items: T[] = []
  return {
    size: () => items.length,
    push: (item) => {
      items.push(item)
      rise(items, isBefore)
    },
    pop: () => {
      const first = items[0]
      const last = items.pop()
      if (items.length > 0) {
        items[0] = last as T
        sink(items, isBefore)
      }
      return first
    },
  }
}

function rise<T>(items: T[], isBefore: (left: T, right: T) => boolean): void {
  let at = items.length - 1
  const item = items[at] as T
  while (at > 0) {
    const parent = (at - 1) >> 1
    if (!isBefore(item, items[parent] as T)) break
    items[at] = items[parent] as T
    at = parent
  }
  items[at] = item
}

function sink<T>(items: T[], isBefore: (left: T, right: T) => boolean): void {
  const item = items[0] as T
  let at = 0
  for (;;) {
    let child = 2 * at + 1
    if (child >= items.length) break
    if (child + 1 < items.length && isBefore(items[child + 1] as T, items[child] as T)) child += 1
    if (!isBefore(items[child] as T, item)) break
    items[at] = items[child] as T
    at = child
  }
  items[at] = item
}
