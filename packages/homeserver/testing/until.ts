/** Waits, in real time, for what a test set off: a manual clock does not move commits along. */
import assert from 'node:assert/strict'
import type { TestHomeserver } from './homeserver.ts'

const PATIENCE_MS = 100_000
const LOOK_EVERY_MS = 5

/** Looks until it is so. */
export async function until(isSo: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const endMs = Date.now() + PATIENCE_MS
  while (!(await isSo())) {
    assert.ok(Date.now() < endMs, `waited in vain: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
  }
}

/** Some sync waits: only now does it help to move the clock. */
export function untilSomebodyWaits(server: TestHomeserver): Promise<void> {
  return until(() => server.parts.streams.waiting() > 0, 'no sync waits')
}
