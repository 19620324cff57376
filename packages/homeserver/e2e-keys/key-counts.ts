/** How many one-time keys a device has left, in memory: every sync tells it. */
import { LRUCache } from 'lru-cache'
import { upTo } from '@holdfast/platform/cache/up-to'
import type { Database } from '@holdfast/platform/database/database'
import { fallbackKeys, oneTimeKeyCounts } from '../storage/one-time-keys.ts'

export type DeviceKeyCounts = {
  /** By algorithm. */
  readonly oneTimeKeys: Readonly<Record<string, number>>
  readonly unusedFallbackTypes: readonly string[]
}

export type KeyCounts = {
  of(deviceNid: number): Promise<DeviceKeyCounts>
  /** Call after a commit that changed keys of these devices. */
  forget(deviceNids: readonly number[]): void
}

const CACHED_DEVICES_MAX = 50_000

export function openKeyCounts(db: Database): KeyCounts {
  const cache = new LRUCache<number, DeviceKeyCounts>(upTo(CACHED_DEVICES_MAX))
  const loading = new Map<number, Promise<DeviceKeyCounts>>()

  async function load(deviceNid: number): Promise<DeviceKeyCounts> {
    const counts = await oneTimeKeyCounts(db, deviceNid)
    const fallback = await fallbackKeys(db, [deviceNid])
    return {
      // Clients wait for a number before they upload more: none is said, too.
      oneTimeKeys: Object.fromEntries([
        ['signed_curve25519', 0],
        ...counts.map((row) => [row.algorithm, row.unclaimed]),
      ]) as Record<string, number>,
      unusedFallbackTypes: fallback.filter((row) => row.is_used === 0).map((row) => row.algorithm),
    }
  }

  return {
    of: (deviceNid) => {
      const known = cache.get(deviceNid) ?? loading.get(deviceNid)
      if (known !== undefined) return Promise.resolve(known)
      const running: Promise<DeviceKeyCounts> = load(deviceNid)
        .then((counts) => {
          // Only a load that no change overtook is kept.
          if (loading.get(deviceNid) === running) cache.set(deviceNid, counts)
          return counts
        })
        .finally(() => {
          if (loading.get(deviceNid) === running) loading.delete(deviceNid)
        })
      loading.set(deviceNid, running)
      return running
    },
    forget: (deviceNids) => {
      for (const deviceNid of deviceNids) {
        cache.delete(deviceNid)
        loading.delete(deviceNid)
      }
    },
  }
}
