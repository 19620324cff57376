/** Checks of many Ed25519 signatures on the threads of libuv, so that the event loop goes on meanwhile. */
import { createPublicKey, type KeyObject, verify } from 'node:crypto'

export type SignatureCheck = {
  /** The 32 bytes of the public key. */
  readonly publicKey: Uint8Array
  readonly message: Uint8Array
  readonly signature: Uint8Array
}

export type VerifyPool = {
  /** For each check in turn whether its signature holds. What cannot be a key or a signature does not hold. */
  verify(checks: readonly SignatureCheck[]): Promise<readonly boolean[]>
}

export const VERIFY_LIMITS = {
  /** Fewer than so many take less time here than on their way to another thread and back. */
  batchMin: 8,
  /** At once, of all batches together: files and names need the same few threads, and wait behind what is queued. */
  inFlightMax: 16,
} as const

// The DER prefix of a SubjectPublicKeyInfo with an Ed25519 key. <https://www.rfc-editor.org/rfc/rfc8410#section-4>
const SPKI_PREFIX = Uint8Array.fromHex('302a300506032b6570032100')

export function createVerifyPool(): VerifyPool {
  let inFlight = 0
  const waiting: (() => void)[] = []

  async function inTurn(check: Imported): Promise<boolean> {
    if (inFlight >= VERIFY_LIMITS.inFlightMax) await new Promise<void>((resolve) => void waiting.push(resolve))
    else inFlight += 1
    try {
      return await verifyElsewhere(check)
    } finally {
      const next = waiting.shift()
      if (next === undefined) inFlight -= 1
      else next()
    }
  }

  return {
    verify: async (checks) => {
      const keys = new Map<string, KeyObject | undefined>()
      const imported = checks.map((check) => ({ ...check, key: keyOf(keys, check.publicKey) }))
      if (checks.length < VERIFY_LIMITS.batchMin) return imported.map(verifyHere)
      return Promise.all(imported.map(inTurn))
    },
  }
}

type Imported = SignatureCheck & { readonly key: KeyObject | undefined }

/** Most events of a batch are of few servers. */
function keyOf(keys: Map<string, KeyObject | undefined>, publicKey: Uint8Array): KeyObject | undefined {
  const name = Buffer.from(publicKey).toString('latin1')
  if (keys.has(name)) return keys.get(name)
  const key = imported(publicKey)
  keys.set(name, key)
  return key
}

function imported(publicKey: Uint8Array): KeyObject | undefined {
  if (publicKey.length !== 32) return undefined
  try {
    return createPublicKey({ key: Buffer.concat([SPKI_PREFIX, publicKey]), format: 'der', type: 'spki' })
  } catch {
    return undefined
  }
}

function verifyHere({ key, message, signature }: Imported): boolean {
  return key !== undefined && verify(null, message, key, signature)
}

function verifyElsewhere({ key, message, signature }: Imported): Promise<boolean> {
  if (key === undefined) return Promise.resolve(false)
  return new Promise((resolve, reject) => {
    verify(null, message, key, signature, (error, holds) => {
      if (error === null) resolve(holds)
      else reject(error)
    })
  })
}
