/** The bound of an LRU cache by its entries, for caches that take memory only as they fill. */

export type EntriesBound = { readonly maxSize: number; readonly sizeCalculation: () => number }

/**
 * With `max`, `LRUCache` takes its whole memory at once: 28 bytes an entry, 25 MB and 80 ms for the caches of a
 * homeserver that nobody uses yet.
 */
export function upTo(entriesMax: number): EntriesBound {
  return { maxSize: entriesMax, sizeCalculation: () => 1 }
}
