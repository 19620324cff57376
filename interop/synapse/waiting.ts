/** Waiting for what another server will do soon. */
import { setTimeout as sleep } from 'node:timers/promises'

/** For two servers on a loaded machine; what takes longer has failed. */
export const PATIENCE_MS = 20_000
const POLL_MS = 60

/** Asks again until there is an answer that is not undefined; a failure to answer counts as none yet. */
export async function eventually<Value>(
  what: string,
  probe: () => Promise<Value | undefined>,
  patienceMs = PATIENCE_MS,
): Promise<Value> {
  const untilMs = performance.now() + patienceMs
  let last: unknown
  do {
    try {
      const value = await probe()
      if (value !== undefined) return value
      last = undefined
    } catch (error) {
      last = error
    }
    await sleep(POLL_MS)
  } while (performance.now() < untilMs)
  throw new Error(`not within ${patienceMs / 1000} s: ${what}`, { cause: last })
}
