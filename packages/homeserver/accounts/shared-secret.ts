/** Registration by a secret that the server and a tool share: nonces, and what the tool must prove. */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Clock } from '@holdfast/platform/clock/clock'
import type { Random } from '@holdfast/platform/random/random'

/** Nonces that were given out; each is good once, for a minute. */
export type SharedSecretNonces = {
  give(): string
  /** Whether the nonce was given out, is in time, and was not taken before. */
  take(nonce: string): boolean
}

const NONCE_MS = 60_000
const NONCES_MAX = 10_000
const NONCE_CHARACTERS = 43

export function openNonces(deps: { readonly clock: Clock; readonly random: Random }): SharedSecretNonces {
  const expiries = new LRUCache<string, number>({ max: NONCES_MAX })
  return {
    give: () => {
      const nonce = deps.random.text(NONCE_CHARACTERS)
      expiries.set(nonce, deps.clock.monotonicMs() + NONCE_MS)
      return nonce
    },
    take: (nonce) => {
      const expiresMs = expiries.get(nonce)
      return expiries.delete(nonce) && expiresMs !== undefined && expiresMs > deps.clock.monotonicMs()
    },
  }
}

export type SharedSecretRequest = {
  readonly nonce: string
  readonly username: string
  readonly password: string
  readonly admin: boolean
  readonly userType: string | undefined
  readonly mac: string
}

/** The HMAC-SHA1 of what is asked, NUL between the parts, in hex: the protocol that existing tools speak. */
export function isProven(secret: string, request: SharedSecretRequest): boolean {
  const { nonce, username, password, admin, userType } = request
  const parts = [nonce, username, password, admin ? 'admin' : 'notadmin', ...(userType === undefined ? [] : [userType])]
  const expected = createHmac('sha1', secret).update(parts.join('\0')).digest()
  const given = Buffer.from(/^[0-9a-f]{40}$/i.test(request.mac) ? request.mac : '', 'hex')
  return given.length === expected.length && timingSafeEqual(given, expected)
}
