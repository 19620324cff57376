/** Times as people read them. */

const LAST_TIME_MS = 8.64e15

/** Timestamps of strangers can be anything; those that are no time are shown as the number. */
export function timeText(ms: number): string {
  return Math.abs(ms) <= LAST_TIME_MS ? new Date(ms).toISOString() : `${ms} ms`
}
