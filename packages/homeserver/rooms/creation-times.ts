/**
 * Times of create events. Since version 12 a room's id is the hash of its create event, so two rooms that one user makes
 * alike in one millisecond would be one: each user's rooms are a millisecond apart.
 */
import { LRUCache } from 'lru-cache'
import { upTo } from '@holdfast/platform/cache/up-to'

export type CreationTimes = {
  /** A time at or right after `nowMs` that no other room of this user has. */
  next(creation: { readonly userNid: number; readonly nowMs: number }): number
}

const REMEMBERED_USERS_MAX = 10_000

export function openCreationTimes(): CreationTimes {
  const newest = new LRUCache<number, number>(upTo(REMEMBERED_USERS_MAX))
  return {
    next: ({ userNid, nowMs }) => {
      const ms = Math.max(nowMs, (newest.get(userNid) ?? 0) + 1)
      newest.set(userNid, ms)
      return ms
    },
  }
}
