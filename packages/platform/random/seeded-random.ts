/** The same seed gives the same sequence: for tests and the simulator, never for secrets. */
import { hash } from 'node:crypto'
import type { Random } from './random.ts'
import { randomFromBytes } from './random-from-bytes.ts'

export function createSeededRandom(seed: number | string): Random {
  let block = 0
  let pool: Uint8Array = new Uint8Array(0)
  return randomFromBytes((length) => {
    const out = new Uint8Array(length)
    for (let filled = 0; filled < length;) {
      if (pool.length === 0) pool = hash('sha256', `${seed}/${(block += 1)}`, 'buffer')
      const taken = pool.subarray(0, length - filled)
      out.set(taken, filled)
      pool = pool.subarray(taken.length)
      filled += taken.length
    }
    return out
  })
}
