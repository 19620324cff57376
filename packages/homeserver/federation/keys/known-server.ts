/** What is known of the keys of one server, and how an answer changes it. */
import { effectiveValidUntil, type KeyLifetime } from '@holdfast/protocol/federation/key-validity'
import type { ServerKeys as PublishedKeys } from '@holdfast/protocol/federation/server-keys'
import type { VerifyKey } from '@holdfast/protocol/signing/verify-key'

export type KnownKey = {
  readonly key: VerifyKey
  readonly lifetime: KeyLifetime
  /** Whether the server itself said so, and not a notary. */
  readonly isDirect: boolean
}

/** The newest answer, as it was signed. */
export type KnownResponse = {
  /** JSON. */
  readonly text: string
  readonly validUntilMs: number
  readonly fetchedMs: number
  readonly isDirect: boolean
}

export type KnownServer = {
  readonly response: KnownResponse | undefined
  readonly keys: ReadonlyMap<string, KnownKey>
}

export const UNKNOWN_SERVER: KnownServer = { response: undefined, keys: new Map() }

/** As many as one answer may have, and as many again from before. */
const KEYS_KEPT_MAX = 512

export type Answer = { readonly published: PublishedKeys; readonly text: string; readonly fetchedMs: number }

/** The server's own newest word. It counts above everything that was known before. */
export function withOwnAnswer(known: KnownServer, answer: Answer): KnownServer {
  const stated = statedKeys(answer, true)
  const before = [...known.keys].map(
    ([keyId, key]) => [keyId, stated.has(keyId) ? key : notInUse(key, answer)] as const,
  )
  return {
    response: responseOf(answer, true),
    keys: newest(new Map([...before, ...stated])),
  }
}

/**
 * What a notary says. A server's own word stands against it as long as that is good, so that a notary can tell us nothing else
 * of a key than its server did.
 */
export function withNotaryAnswer(known: KnownServer, answer: Answer): KnownServer {
  const keys = new Map(known.keys)
  for (const [keyId, stated] of statedKeys(answer, false)) {
    const before = keys.get(keyId)
    keys.set(keyId, before === undefined ? stated : heard(before, stated, answer.fetchedMs))
  }
  const isNewer = known.response === undefined || answer.published.validUntilTs > known.response.validUntilMs
  return { response: isNewer ? responseOf(answer, false) : known.response, keys: newest(keys) }
}

function heard(before: KnownKey, stated: KnownKey, nowMs: number): KnownKey {
  if (before.isDirect && (before.lifetime.kind === 'old' || before.lifetime.validUntilTs >= nowMs)) return before
  const isSame = before.key.publicKey === stated.key.publicKey
  // A key id is used once. Another key of the same id is another server's, or a lie.
  if (!isSame) return before
  if (before.lifetime.kind === 'old' || stated.lifetime.kind === 'old') {
    return before.lifetime.kind === 'old' ? before : stated
  }
  return before.lifetime.validUntilTs >= stated.lifetime.validUntilTs ? before : stated
}

/** The server does not list the key any more: it proves no request from now on, and nothing that is dated later. */
function notInUse(known: KnownKey, { fetchedMs }: Answer): KnownKey {
  const { lifetime } = known
  if (lifetime.kind === 'old' || lifetime.validUntilTs < fetchedMs) return known
  return { ...known, lifetime: { kind: 'current', validUntilTs: fetchedMs - 1 } }
}

function statedKeys({ published, fetchedMs }: Answer, isDirect: boolean): Map<string, KnownKey> {
  const validUntilTs = effectiveValidUntil(published.validUntilTs, fetchedMs)
  const stated = new Map<string, KnownKey>()
  for (const [keyId, key] of published.verifyKeys) {
    stated.set(keyId, { key, lifetime: { kind: 'current', validUntilTs }, isDirect })
  }
  for (const [keyId, { key, expiredTs }] of published.oldVerifyKeys) {
    stated.set(keyId, { key, lifetime: { kind: 'old', expiredTs }, isDirect })
  }
  return stated
}

function responseOf({ published, text, fetchedMs }: Answer, isDirect: boolean): KnownResponse {
  return { text, validUntilMs: published.validUntilTs, fetchedMs, isDirect }
}

/** Those good for the longest time. */
function newest(keys: Map<string, KnownKey>): ReadonlyMap<string, KnownKey> {
  if (keys.size <= KEYS_KEPT_MAX) return keys
  const byAge = [...keys].toSorted(([, a], [, b]) => untilMs(b.lifetime) - untilMs(a.lifetime))
  return new Map(byAge.slice(0, KEYS_KEPT_MAX))
}

function untilMs(lifetime: KeyLifetime): number {
  return lifetime.kind === 'old' ? lifetime.expiredTs : lifetime.validUntilTs
}
