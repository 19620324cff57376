/** Forgets which messages to devices were received, in short steps, once no server repeats them any more. */
import type { Homeserver } from '../../homeserver.ts'
import { deleteReceivedMessages, receivedMessageAfter } from '../../storage/to-device.ts'

/** A server that got no answer repeats a transaction for as long as it tries to reach us. */
const REMEMBERED_MS = 30 * 24 * 3_600_000
const INTERVAL_MS = 6 * 3_600_000
const ROWS_PER_STEP = 1_000
const STEP_PAUSE_MS = 20

type ForgetDeps = Pick<Homeserver, 'db' | 'clock'>

/** One pass over all that are old. */
export async function forgetReceivedMessages(deps: ForgetDeps, signal: AbortSignal): Promise<void> {
  const before = deps.clock.nowMs() - REMEMBERED_MS
  for (;;) {
    const boundary = await receivedMessageAfter(deps.db, { skip: ROWS_PER_STEP, before })
    await deps.db.commit([deleteReceivedMessages(boundary?.received_ms ?? before - 1)])
    if (boundary === undefined) return
    await deps.clock.sleep(STEP_PAUSE_MS, signal)
  }
}

/** Now and every few hours, until aborted. */
export async function keepForgetting(deps: ForgetDeps & Pick<Homeserver, 'log'>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await forgetReceivedMessages(deps, signal)
      await deps.clock.sleep(INTERVAL_MS, signal)
    } catch (error) {
      if (signal.aborted) return
      deps.log.error({ err: error }, 'cannot forget received messages')
      await deps.clock.sleep(INTERVAL_MS, signal).catch(() => undefined)
    }
  }
}
