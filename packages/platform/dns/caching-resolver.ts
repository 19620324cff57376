/** A resolver that remembers: answers for their time to live, absence and failure for a short while. */
import { LRUCache } from 'lru-cache'
import type { Clock } from '../clock/clock.ts'
import { type DnsAnswer, type DnsSource, LookupFailed, type Resolver } from './resolver.ts'

export const DNS_LIMITS = {
  namesMax: 20_000,
  /** What one name may have: whoever owns it could otherwise make us try thousands of addresses. */
  recordsMax: 16,
  ttlMsMin: 10_000,
  ttlMsMax: 3_600_000,
  /** For records whose source does not tell their time to live. */
  ttlMsDefault: 300_000,
  absentMs: 60_000,
  failureMs: 10_000,
  /** How long a known answer may outlive its time while the name servers fail (RFC 8767). */
  staleMs: 86_400_000,
} as const

type Entry<T> = {
  readonly records: readonly T[] | undefined
  readonly failure: LookupFailed | undefined
  readonly freshUntilMs: number
  /** When the records were told; they may be used `staleMs` longer if nobody tells new ones. */
  readonly toldMs: number
}

export function createCachingResolver(deps: { readonly source: DnsSource; readonly clock: Clock }): Resolver {
  const { source, clock } = deps
  const srv = cached(clock, (name) => source.srv(name))
  const addresses = cached(clock, (name) => source.addresses(name))
  return {
    lookupSrv: async (name) => (await srv(name)).toSorted((a, b) => a.priority - b.priority),
    lookupAddresses: addresses,
  }
}

/** Lookups of one kind. Those of one name that come together are one. */
function cached<T>(
  clock: Clock,
  look: (name: string) => Promise<DnsAnswer<T>>,
): (name: string) => Promise<readonly T[]> {
  const entries = new LRUCache<string, Entry<T>>({ max: DNS_LIMITS.namesMax })
  const flights = new Map<string, Promise<Entry<T>>>()
  return async (name) => {
    const key = name.toLowerCase()
    const known = entries.get(key)
    if (known !== undefined && clock.monotonicMs() < known.freshUntilMs) return recordsOf(known)
    let flight = flights.get(key)
    if (flight === undefined) {
      flight = refreshed(clock, known, () => look(key)).finally(() => flights.delete(key))
      flights.set(key, flight)
    }
    const entry = await flight
    entries.set(key, entry)
    return recordsOf(entry)
  }
}

function recordsOf<T>({ records, failure }: Entry<T>): readonly T[] {
  if (records !== undefined) return records
  throw failure
}

async function refreshed<T>(
  clock: Clock,
  known: Entry<T> | undefined,
  look: () => Promise<DnsAnswer<T>>,
): Promise<Entry<T>> {
  try {
    const answer = await look()
    const toldMs = clock.monotonicMs()
    const records = answer.records.slice(0, DNS_LIMITS.recordsMax)
    return { records, failure: undefined, toldMs, freshUntilMs: toldMs + lifetimeMs(answer) }
  } catch (error) {
    const failure = error instanceof LookupFailed ? error : new LookupFailed('the lookup failed', { cause: error })
    const nowMs = clock.monotonicMs()
    const freshUntilMs = nowMs + DNS_LIMITS.failureMs
    const usable = known?.records !== undefined && nowMs < known.toldMs + DNS_LIMITS.ttlMsMax + DNS_LIMITS.staleMs
    return usable ? { ...known, freshUntilMs } : { records: undefined, failure, toldMs: nowMs, freshUntilMs }
  }
}

function lifetimeMs(answer: DnsAnswer<unknown>): number {
  if (answer.records.length === 0) return DNS_LIMITS.absentMs
  const ttlMs = answer.ttlMs ?? DNS_LIMITS.ttlMsDefault
  return Math.min(Math.max(ttlMs, DNS_LIMITS.ttlMsMin), DNS_LIMITS.ttlMsMax)
}
