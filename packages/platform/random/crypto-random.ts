/** The production source of chance: the operating system's generator. */
import { randomBytes } from 'node:crypto'
import type { Random } from './random.ts'
import { randomFromBytes } from './random-from-bytes.ts'

export function createCryptoRandom(): Random {
  return randomFromBytes((length) => randomBytes(length))
}
