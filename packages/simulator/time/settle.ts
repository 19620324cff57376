/** Waits until nothing in this process can go on without time passing or a message arriving. */
import { yieldToLoop } from '@holdfast/platform/clock/yield'

/** Work that hands over to the event loop more often than this in one instant does not end. */
const TURNS_MAX = 100_000

/** No code of a simulated server waits for anything but promises and the next turn of the event loop. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < TURNS_MAX; turn += 1) {
    await yieldToLoop()
    if (!process.getActiveResourcesInfo().includes('Immediate')) return
  }
  throw new Error('the event loop does not come to rest')
}
