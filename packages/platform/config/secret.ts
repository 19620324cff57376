/** A value that must never be seen in a log, an error or a dump. */
import { hash, timingSafeEqual } from 'node:crypto'
import { inspect } from 'node:util'

const MASK = '[secret]'

export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  /** The only way to the value: call it where the value is used, and keep no copy. */
  reveal(): string {
    return this.#value
  }

  /** Compares without telling by its duration how much of the candidate was right. */
  equals(candidate: string): boolean {
    return timingSafeEqual(hash('sha256', candidate, 'buffer'), hash('sha256', this.#value, 'buffer'))
  }

  toString(): string {
    return MASK
  }

  toJSON(): string {
    return MASK
  }

  [inspect.custom](): string {
    return MASK
  }
}
