/** What the parts of this folder keep in memory. */
import { LRUCache } from 'lru-cache'
import type { Database } from '@holdfast/platform/database/database'
import type { ServerName, UserId } from '@holdfast/protocol/ids/brand'
import { openDeviceLists, type DeviceLists } from './device-lists.ts'
import { openKeyCounts, type KeyCounts } from './key-counts.ts'
import type { LoggedMove } from './moves.ts'
import type { RecentLog } from './recent-log.ts'
import type { RemoteKeys } from './remote-keys.ts'

export type E2eKeys = Disposable & {
  readonly counts: KeyCounts
  readonly deviceLists: DeviceLists
  readonly moves: RecentLog<LoggedMove>
  /** Asks other servers; undefined where there is no federation. */
  readonly remote: RemoteKeys | undefined
  /** Device lists that are being fetched, by user. */
  readonly fetching: Map<UserId, Promise<boolean>>
  /** Whose device lists were fetched a moment ago. */
  readonly fetched: LRUCache<UserId, true>
  /** Servers that took long to answer a moment ago. */
  readonly slow: LRUCache<ServerName, true>
}

const FETCHED_MAX = 10_000
const SLOW_MAX = 1_000

export function openE2eKeys(
  deps: { readonly db: Database } & Parameters<typeof openDeviceLists>[0],
  parts: { readonly moves: RecentLog<LoggedMove>; readonly remote: RemoteKeys | undefined },
): E2eKeys {
  const deviceLists = openDeviceLists(deps)
  // To the cache, something that began at 0 never ends.
  const time = { ttlResolution: 0, perf: { now: () => deps.clock.monotonicMs() + 1 } }
  return {
    ...parts,
    counts: openKeyCounts(deps.db),
    deviceLists,
    fetching: new Map(),
    fetched: new LRUCache({ max: FETCHED_MAX, ...time }),
    slow: new LRUCache({ max: SLOW_MAX, ...time }),
    [Symbol.dispose]: () => deviceLists[Symbol.dispose](),
  }
}
