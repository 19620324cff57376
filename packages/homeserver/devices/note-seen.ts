/** When and from where a device was seen last. */
import type { KnownToken } from '../accounts/requester-cache.ts'
import type { Homeserver } from '../homeserver.ts'
import { setDeviceSeen } from '../storage/devices.ts'

/** What devices show is at most this old; more often is not worth a write. */
const SEEN_EVERY_MS = 120_000

/** Writes in the background: nobody waits for it, and if it fails the next request tries again. */
export function noteSeen(
  deps: Pick<Homeserver, 'db' | 'clock' | 'log'>,
  known: KnownToken,
  remoteAddress: string,
): void {
  const atMs = deps.clock.nowMs()
  if (Math.abs(atMs - known.seenMs) < SEEN_EVERY_MS) return
  const before = known.seenMs
  known.seenMs = atMs
  const { deviceNid } = known.requester
  deps.db.commit([setDeviceSeen({ deviceNid, atMs, address: remoteAddress })]).catch((error: Error) => {
    known.seenMs = before
    deps.log.warn({ error: error.message }, 'cannot write when a device was seen')
  })
}
