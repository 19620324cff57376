/** Which thread goes first where cores are few. */
import { readlinkSync } from 'node:fs'
import { setPriority } from 'node:os'

/**
 * For work that nobody waits for while commits go on, such as checkpoints. Not for the writer: where other programs fill
 * the cores, even a rank of 2 made its commits eight times as slow.
 */
const NICENESS = 10

/** Call on the thread. Linux alone gives threads priorities of their own; elsewhere, or where /proc is hidden, nothing happens. */
export function letOthersGoFirst(): void {
  if (process.platform !== 'linux') return
  try {
    const [processId, , threadId] = readlinkSync('/proc/thread-self').split('/').map(Number)
    // A foreign /proc would name somebody else's thread.
    if (processId === process.pid && Number.isSafeInteger(threadId)) setPriority(threadId!, NICENESS)
  } catch {
    // The priority is a kindness; without it everything works.
  }
}
