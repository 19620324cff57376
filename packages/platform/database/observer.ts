/** Observers that cannot disturb what they observe. */
import type { DatabaseObserver } from './database.ts'

/** A mistake in a metric becomes a warning, instead of an end of all commits. */
export function guarded(observer: DatabaseObserver): DatabaseObserver {
  const entries = Object.entries(observer).map(([name, tell]) => [name, guardedCall(tell)])
  return Object.fromEntries(entries) as DatabaseObserver
}

function guardedCall(tell: (report: never) => void): (report: never) => void {
  return (report) => {
    try {
      tell(report)
    } catch (error) {
      process.emitWarning(error instanceof Error ? error : String(error))
    }
  }
}
