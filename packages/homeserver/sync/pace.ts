/** How often the syncs of a room's members are woken for what can wait: the rarer, the more of them there are. */

const PAUSE_MS_PER_MEMBER = 5
const PAUSE_MS_MAX = 5_000

export function pauseMs(members: number): number {
  return Math.min(members * PAUSE_MS_PER_MEMBER, PAUSE_MS_MAX)
}
