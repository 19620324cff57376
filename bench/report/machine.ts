/** One line about the machine that a run took place on. */

import { cpus, totalmem } from 'node:os'

export function describeMachine(): string {
  const gibibytes = Math.round(totalmem() / 2 ** 30)
  return `${cpus().length} x ${cpus()[0]?.model ?? 'unknown CPU'}, ${gibibytes} GiB, generator on Node ${process.versions.node}`
}
