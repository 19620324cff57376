/** Long work in slices: lets the event loop serve others in between. */

/** Resolves in the loop's next turn. */
export function yieldToLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
