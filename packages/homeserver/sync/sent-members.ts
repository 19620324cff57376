/** Which member events a device was sent while it loads members lazily, so that they are not repeated. A cache: what it forgets is sent again. */
import { LRUCache } from 'lru-cache'
import { upTo } from '@holdfast/platform/cache/up-to'
import type { SyncContext } from './sync-context.ts'

/** By device and room. */
export type SentMembers = LRUCache<string, SentToDevice>

type SentToDevice = {
  /** State key nid to event nid. */
  readonly events: Map<number, number>
  /** The token of the newest answer they were sent in. A client that asks from before it has not got that answer. */
  upTo: number
}

const REMEMBERED_MAX = 20_000

export function openSentMembers(): SentMembers {
  return new LRUCache(upTo(REMEMBERED_MAX))
}

/** The memory of one device in one room, empty if it begins anew. */
export function sentMembersOf(context: SyncContext, roomNid: number, anew: boolean): Map<number, number> {
  const { sentMembers } = context.deps
  const key = `${context.requester.deviceNid} ${roomNid}`
  let sent = sentMembers.get(key)
  if (sent === undefined || anew || (context.since ?? 0) < sent.upTo) {
    sent = { events: new Map(), upTo: context.upTo }
    sentMembers.set(key, sent)
  }
  sent.upTo = context.upTo
  return sent.events
}
