/** Which events authorise which, by integer ids: read in batches, kept as arrays of numbers. */
import { LRUCache } from 'lru-cache'
import { upTo } from '@holdfast/platform/cache/up-to'
import type { Reader } from '@holdfast/platform/database/database'
import { yieldToLoop } from '@holdfast/platform/clock/yield'
import { eventEdges } from '../storage/event-graph.ts'
import { unpackEdges } from './edges.ts'

export type AuthGraph = {
  /** The auth events of each of the events; those that do not exist are left out. */
  authNids(nids: readonly number[]): Promise<ReadonlyMap<number, readonly number[]>>
}

/** An entry costs some 150 bytes with its place in the cache. */
const CACHED_EVENTS_MAX = 200_000
/** Rows read and unpacked at once: about two milliseconds of work. */
const LOAD_BATCH = 500

export function openAuthGraph(db: Reader): AuthGraph {
  // An event's edges never change, so nothing here grows old.
  const cache = new LRUCache<number, readonly number[]>(upTo(CACHED_EVENTS_MAX))

  async function load(nids: readonly number[], found: Map<number, readonly number[]>): Promise<void> {
    for (const { event_nid, edges } of await eventEdges(db, nids)) {
      const { auth } = unpackEdges(edges)
      cache.set(event_nid, auth)
      found.set(event_nid, auth)
    }
  }

  return {
    authNids: async (nids) => {
      const found = new Map<number, readonly number[]>()
      const missing: number[] = []
      for (const nid of nids) {
        const known = cache.get(nid)
        if (known === undefined) missing.push(nid)
        else found.set(nid, known)
      }
      for (let start = 0; start < missing.length; start += LOAD_BATCH) {
        if (start > 0) await yieldToLoop()
        await load(missing.slice(start, start + LOAD_BATCH), found)
      }
      return found
    },
  }
}
