/** Hashing and checking passwords without ever stopping the event loop, or letting a flood of logins take the machine. */
import { argon2, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import type { Random } from '../random/random.ts'
import { type Argon2Parameters, formatPhc, parsePhc } from './phc.ts'

const argon2Async = promisify(argon2)

/** OWASP's second choice of parameters for argon2id: 74 ms on the machine of the first measurements. */
export const PASSWORD_PARAMETERS: Argon2Parameters = { memoryKib: 19_456, passes: 2, parallelism: 1 }

export const PASSWORD_LIMITS = {
  /** Longer input is refused before any work. */
  passwordBytesMax: 512,
  /** Each takes 19 MiB and one of the four threads that files and DNS need, too. */
  concurrentMax: 2,
  /** At 74 ms each, the last in the queue waits about four seconds. */
  waitingMax: 100,
} as const

const SALT_BYTES = 16
const HASH_BYTES = 32

export class PasswordTooLong extends Error {
  constructor() {
    super(`A password must not be longer than ${PASSWORD_LIMITS.passwordBytesMax} bytes.`)
    this.name = 'PasswordTooLong'
  }
}

/** Too many wait already: tell the client to come back later. */
export class PasswordQueueFull extends Error {
  constructor() {
    super('Too many logins at once; try again in a few seconds.')
    this.name = 'PasswordQueueFull'
  }
}

export type PasswordVerdict = {
  readonly matches: boolean
  /** The hash was made with other parameters than today's: store a new one now that the password is known. */
  readonly needsRehash: boolean
}

export type PasswordHasher = {
  /**
   * @throws {PasswordTooLong}
   * @throws {PasswordQueueFull}
   */
  hash(password: string): Promise<string>
  /**
   * @param stored the hash, or undefined when there is no such user: that takes as long and never matches, so that the
   * duration does not tell who has an account
   * @throws {PasswordTooLong}
   * @throws {PasswordQueueFull}
   */
  verify(password: string, stored: string | undefined): Promise<PasswordVerdict>
}

export type PasswordHasherOptions = {
  readonly random: Random
  readonly parameters?: Argon2Parameters
  readonly concurrentMax?: number
  readonly waitingMax?: number
}

export function createPasswordHasher(options: PasswordHasherOptions): PasswordHasher {
  const parameters = options.parameters ?? PASSWORD_PARAMETERS
  const inQueue = createQueue(
    options.concurrentMax ?? PASSWORD_LIMITS.concurrentMax,
    options.waitingMax ?? PASSWORD_LIMITS.waitingMax,
  )
  const noUser = { parameters, salt: options.random.bytes(SALT_BYTES), hash: options.random.bytes(HASH_BYTES) }
  return {
    hash: async (password) => {
      const message = passwordBytes(password)
      const salt = options.random.bytes(SALT_BYTES)
      const hash = await inQueue(() => derive(message, salt, parameters, HASH_BYTES))
      return formatPhc({ parameters, salt, hash })
    },
    verify: async (password, stored) => {
      const message = passwordBytes(password)
      const known = stored === undefined ? undefined : parsePhc(stored)
      const against = known ?? noUser
      const hash = await inQueue(() => derive(message, against.salt, against.parameters, against.hash.length))
      const matches = timingSafeEqual(hash, against.hash) && known !== undefined
      return { matches, needsRehash: matches && !sameParameters(against.parameters, parameters) }
    },
  }
}

function passwordBytes(password: string): Uint8Array {
  const bytes = Buffer.from(password, 'utf8')
  if (bytes.length > PASSWORD_LIMITS.passwordBytesMax) throw new PasswordTooLong()
  return bytes
}

function derive(message: Uint8Array, nonce: Uint8Array, parameters: Argon2Parameters, length: number): Promise<Buffer> {
  const { memoryKib, passes, parallelism } = parameters
  return argon2Async('argon2id', { message, nonce, memory: memoryKib, passes, parallelism, tagLength: length })
}

function sameParameters(a: Argon2Parameters, b: Argon2Parameters): boolean {
  return a.memoryKib === b.memoryKib && a.passes === b.passes && a.parallelism === b.parallelism
}

/** Runs at most so many at once, in order of arrival, and turns away who finds the queue full. */
function createQueue(concurrentMax: number, waitingMax: number): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = []
  let running = 0
  return async (work) => {
    if (running >= concurrentMax) {
      if (waiting.length >= waitingMax) throw new PasswordQueueFull()
      // Whoever ends hands its place over, so that nobody slips in between.
      await new Promise<void>((resolve) => void waiting.push(resolve))
    } else running += 1
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next === undefined) running -= 1
      else next()
    }
  }
}
