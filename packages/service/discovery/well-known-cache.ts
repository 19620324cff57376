/** Delegations by well-known files, remembered as long as they say and the specification allows. */
import { LRUCache } from 'lru-cache'
import { upTo } from '@holdfast/platform/cache/up-to'
import type { Clock } from '@holdfast/platform/clock/clock'
import type { Random } from '@holdfast/platform/random/random'
import type { ServerName } from '@holdfast/protocol/ids/brand'
import type { WellKnown } from './well-known.ts'

export const WELL_KNOWN_CACHE = {
  hostsMax: 20_000,
  validMsMin: 300_000,
  /** "A sensible default is 24 hours", with "a maximum cache time" of 48. */
  validMsDefault: 86_400_000,
  validMsMax: 172_800_000,
  /** "Errors are recommended to be cached for up to an hour", with exponential backoff. */
  errorMsMin: 120_000,
  errorMsMax: 3_600_000,
  /** Whoever doubts an entry has it asked for again, but not more often than this. */
  doubtMsMin: 300_000,
} as const

type Entry = {
  readonly delegatedTo: ServerName | undefined
  /** When a valid file was last read. */
  readonly validMs: number
  readonly askedMs: number
  readonly freshUntilMs: number
  readonly errors: number
}

export type WellKnownCache = {
  /** The server that speaks for the host; undefined: none is named. */
  delegatedTo(host: string): Promise<ServerName | undefined>
  doubt(host: string): void
}

export function openWellKnownCache(deps: {
  readonly clock: Clock
  readonly random: Random
  readonly fetch: (host: string) => Promise<WellKnown>
}): WellKnownCache {
  const { clock } = deps
  const entries = new LRUCache<string, Entry>(upTo(WELL_KNOWN_CACHE.hostsMax))
  return {
    delegatedTo: async (host) => {
      const key = host.toLowerCase()
      const known = entries.get(key)
      if (known !== undefined && clock.monotonicMs() < known.freshUntilMs) return known.delegatedTo
      const entry = entryOf(await deps.fetch(key), known, deps)
      entries.set(key, entry)
      return entry.delegatedTo
    },
    doubt: (host) => {
      const key = host.toLowerCase()
      const known = entries.get(key)
      const nowMs = clock.monotonicMs()
      if (known === undefined || nowMs < known.askedMs + WELL_KNOWN_CACHE.doubtMsMin) return
      entries.set(key, { ...known, freshUntilMs: nowMs })
    },
  }
}

function entryOf(
  told: WellKnown,
  known: Entry | undefined,
  { clock, random }: { readonly clock: Clock; readonly random: Random },
): Entry {
  const askedMs = clock.monotonicMs()
  if (told.kind === 'delegated') {
    const { validMsMin, validMsDefault, validMsMax } = WELL_KNOWN_CACHE
    const validForMs = jittered(Math.min(Math.max(told.lifetimeMs ?? validMsDefault, validMsMin), validMsMax), random)
    return { delegatedTo: told.to, validMs: askedMs, askedMs, freshUntilMs: askedMs + validForMs, errors: 0 }
  }
  const errors = (known?.errors ?? 0) + 1
  const { errorMsMin, errorMsMax, validMsMax } = WELL_KNOWN_CACHE
  const freshUntilMs = askedMs + jittered(Math.min(errorMsMin * 2 ** Math.min(errors - 1, 30), errorMsMax), random)
  const none: Entry = { delegatedTo: undefined, validMs: -Infinity, askedMs, freshUntilMs, errors }
  if (told.kind === 'absent' || known === undefined) return none
  // A web server that is down takes nothing back, until what it said is as old as it may become.
  return askedMs < known.validMs + validMsMax ? { ...known, askedMs, freshUntilMs, errors } : none
}

/** Not all hosts of one outage are asked again at once. */
function jittered(ms: number, random: Random): number {
  return Math.round(ms * (0.8 + random.integer(200) / 1000))
}
