/** How long the disk takes to make a small write durable. */
import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'

const ROUNDS = 7

/** The median of a few real writes in the folder, in milliseconds. */
export function measureSyncMs(folder: string): number {
  const path = join(folder, 'holdfast.sync-test')
  const file = openSync(path, 'w', 0o600)
  try {
    const block = new Uint8Array(4096)
    const times = Array.from({ length: ROUNDS }, (_, round) => {
      const start = performance.now()
      writeSync(file, block, 0, block.length, round * block.length)
      fdatasyncSync(file)
      return performance.now() - start
    })
    return times.sort((a, b) => a - b)[Math.floor(ROUNDS / 2)]!
  } finally {
    closeSync(file)
    rmSync(path, { force: true })
  }
}
