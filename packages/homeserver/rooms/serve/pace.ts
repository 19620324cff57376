/** Long work in slices of about the same cost, so that the event loop is held for milliseconds only. */
import { yieldToLoop } from '@holdfast/platform/clock/yield'

export type Pace = {
  /** Call after each piece of work; waits for the loop's next turn when the slice is used up. */
  spent(units: number): Promise<void>
}

export function openPace(unitsPerSlice: number): Pace {
  let spent = 0
  return {
    spent: async (units) => {
      spent += units
      if (spent < unitsPerSlice) return
      spent = 0
      await yieldToLoop()
    },
  }
}
