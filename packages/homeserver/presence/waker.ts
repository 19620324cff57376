/**
 * Wakes the syncs of those who share a room with somebody whose presence changed: many changes together, and the
 * rarer the more syncs wait, so that presence never costs more than a small part of the machine.
 */
import type { Clock } from '@holdfast/platform/clock/clock'
import type { Log } from '@holdfast/platform/log/log'
import type { RoomHeads } from '../rooms/room-heads.ts'
import type { UserMemberships } from '../rooms/user-memberships.ts'
import type { Streams } from '../streams/streams.ts'

export type PresenceWaker = Disposable & {
  /** A sync that shows presence begins; dispose of the answer when it ends. */
  waiting(userNid: number): Disposable
  changed(userNid: number): void
}

/** A woken sync costs about a millisecond: at this rate presence takes a tenth of one core at most. */
const INTERVAL_MS_PER_SYNC = 10
const INTERVAL_MS_MIN = 50
const INTERVAL_MS_MAX = 30_000

export type WakerDeps = {
  readonly clock: Clock
  readonly log: Log
  readonly heads: RoomHeads
  readonly memberships: UserMemberships
  readonly streams: Streams
}

export function openPresenceWaker(deps: WakerDeps): PresenceWaker {
  const waiting = new Map<number, number>()
  let changed = new Set<number>()
  let timer: Disposable | undefined
  let lastMs = Number.NEGATIVE_INFINITY

  function flush(): void {
    timer = undefined
    lastMs = deps.clock.monotonicMs()
    const users = changed
    changed = new Set()
    wake(deps, users, waiting).catch((error: Error) => {
      // Nothing is lost: whoever is not woken is told when the sync ends.
      deps.log.warn({ error: error.message }, 'cannot wake syncs for a change of presence')
    })
  }

  return {
    waiting: (userNid) => {
      waiting.set(userNid, (waiting.get(userNid) ?? 0) + 1)
      return {
        [Symbol.dispose]: () => {
          const left = waiting.get(userNid)! - 1
          if (left === 0) waiting.delete(userNid)
          else waiting.set(userNid, left)
        },
      }
    },
    changed: (userNid) => {
      changed.add(userNid)
      if (timer !== undefined) return
      const intervalMs = Math.min(Math.max(waiting.size * INTERVAL_MS_PER_SYNC, INTERVAL_MS_MIN), INTERVAL_MS_MAX)
      const dueMs = Math.max(lastMs + intervalMs, deps.clock.monotonicMs() + INTERVAL_MS_MIN)
      timer = deps.clock.after(dueMs - deps.clock.monotonicMs(), flush)
    },
    [Symbol.dispose]: () => timer?.[Symbol.dispose](),
  }
}

async function wake(
  deps: WakerDeps,
  changed: ReadonlySet<number>,
  waiting: ReadonlyMap<number, number>,
): Promise<void> {
  if (waiting.size === 0) return
  const roomNids = new Set<number>()
  for (const userNid of changed) {
    for (const { roomNid, membership } of (await deps.memberships.of(userNid)).values()) {
      if (membership === 'join') roomNids.add(roomNid)
    }
  }
  const woken = new Set<number>()
  for (const roomNid of roomNids) {
    const { joined } = (await deps.heads.byNid(roomNid)).members
    const [fewer, others] = waiting.size < joined.size ? [waiting, joined] : [joined, waiting]
    for (const userNid of fewer.keys()) if (others.has(userNid)) woken.add(userNid)
  }
  const position = deps.streams.position()
  for (const userNid of woken) deps.streams.userChanged({ userNid, position })
}
