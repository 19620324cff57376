/** Accounts in memory: who an access token belongs to, and profiles. Owner: accounts. */
import { LRUCache } from 'lru-cache'
import type { Database } from '@holdfast/platform/database/database'
import type { JsonObject } from '@holdfast/protocol/json/value'
import { openNidAllocator, type NidAllocator } from '../storage/nids.ts'
import { openErasedUsers, type ErasedUsers } from './erased-users.ts'
import { openRequesterCache, type RequesterCache } from './requester-cache.ts'

/** `version` 0: there is no profile row. */
export type VersionedProfile = { readonly version: number; readonly fields: JsonObject }

export type AccountCaches = {
  readonly requesters: RequesterCache
  /** By user_nid. */
  readonly profiles: LRUCache<number, VersionedProfile>
  readonly deviceNids: NidAllocator
  readonly erased: ErasedUsers
  /** By user_nid: rooms that are being told of a profile. */
  readonly telling: Map<number, Promise<void>>
}

/** Bounds the memory of profiles: fields are up to 64 KiB each, but nearly all are a name and an avatar. */
const PROFILE_CHARACTERS_MAX = 16_000_000
const PROFILE_OVERHEAD = 200

export function openAccountCaches(db: Database): AccountCaches {
  return {
    requesters: openRequesterCache(),
    profiles: new LRUCache({
      maxSize: PROFILE_CHARACTERS_MAX,
      sizeCalculation: ({ fields }) => PROFILE_OVERHEAD + JSON.stringify(fields).length,
    }),
    deviceNids: openNidAllocator(db, 'device'),
    erased: openErasedUsers(db),
    telling: new Map(),
  }
}
