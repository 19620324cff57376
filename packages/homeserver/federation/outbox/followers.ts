/** What the outbox follows: events, device lists, and its own progress, behind which old events are forgotten. */
import type { OutboxProgressRow } from '../../storage/outbox.ts'
import { compaction, type CompactDeps } from './compact.ts'
import { type DeviceListsDeps, followDeviceLists } from './follow-device-lists.ts'
import type { EventRouter } from './follow-events.ts'
import { openFollower, type FollowerDeps } from './follow.ts'
import type { Ledger } from './ledger.ts'
import { OUTBOX_LIMITS } from './limits.ts'

export type Followers = {
  /** Something was committed. */
  look(): void
  /** Somebody's membership changed. */
  moved(): void
  /** Progress was written down. */
  flushed(): void
  /** Resolves when none of them runs. */
  stop(): Promise<void>
}

export function openFollowers(
  deps: FollowerDeps & DeviceListsDeps & Omit<CompactDeps, 'settled'>,
  {
    router,
    ledger,
    progress,
  }: {
    readonly router: EventRouter
    readonly ledger: Ledger
    readonly progress: OutboxProgressRow
  },
): Followers {
  const events = openFollower(deps, 'events', async () => {
    const mayBeMore = await router.step()
    if (router.routed > ledger.settled) ledger.touch()
    return mayBeMore
  })
  const deviceLists = openFollower(deps, 'device lists', followDeviceLists(deps, progress.device_lists))
  const compacting = openFollower(deps, 'compaction', compaction({ ...deps, settled: () => ledger.settled }))
  let compactedAt = 0
  return {
    look: () => {
      events.look()
      deviceLists.look()
    },
    moved: () => deviceLists.look(),
    flushed: () => {
      const isEnough = router.count - compactedAt >= OUTBOX_LIMITS.compactedAtOnce
      if (!isEnough || ledger.told >= ledger.settled) return
      compactedAt = router.count
      compacting.look()
    },
    stop: async () => {
      await Promise.all([events.stop(), deviceLists.stop(), compacting.stop()])
    },
  }
}
