/** Forgets transactions after a day, in short steps that leave the database to others in between. */
import type { Homeserver } from '../homeserver.ts'
import { deleteOldTransactions, nextTransactions, type TransactionKey } from '../storage/client-transactions.ts'

const REMEMBERED_MS = 24 * 3_600_000
const SWEEP_INTERVAL_MS = 6 * 3_600_000
const ROWS_PER_STEP = 1_000
const STEP_PAUSE_MS = 20

type SweepDeps = Pick<Homeserver, 'db' | 'clock'>

/** One pass over all transactions. @returns how many steps deleted something */
export async function sweepTransactions(deps: SweepDeps, signal: AbortSignal): Promise<number> {
  const before = deps.clock.nowMs() - REMEMBERED_MS
  let after: TransactionKey = { deviceNid: 0, requestHash: 0 }
  let deletions = 0
  for (;;) {
    const rows = await nextTransactions(deps.db, { after, limit: ROWS_PER_STEP, before })
    const last = rows.at(-1)
    if (last === undefined) return deletions
    const upTo = { deviceNid: last.device_nid, requestHash: last.request_hash }
    if (rows.some((row) => row.is_old === 1)) {
      await deps.db.commit([deleteOldTransactions({ after, upTo, before })])
      deletions += 1
    }
    if (rows.length < ROWS_PER_STEP) return deletions
    after = upTo
    await deps.clock.sleep(STEP_PAUSE_MS, signal)
  }
}

/** Sweeps now and every few hours, until aborted. A pass that fails is logged, and the next one is tried. */
export async function keepSweeping(deps: SweepDeps & Pick<Homeserver, 'log'>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await sweepTransactions(deps, signal)
      await deps.clock.sleep(SWEEP_INTERVAL_MS, signal)
    } catch (error) {
      if (signal.aborted) return
      deps.log.error({ err: error }, 'cannot forget old transactions')
      await deps.clock.sleep(SWEEP_INTERVAL_MS, signal).catch(() => undefined)
    }
  }
}
