/** What we know of other servers as destinations: whether they can be reached, and if not, when to try again. */
import { LRUCache } from 'lru-cache'
import { upTo } from '@holdfast/platform/cache/up-to'
import type { Clock } from '@holdfast/platform/clock/clock'
import type { Database } from '@holdfast/platform/database/database'
import { originalText, storedText } from '@holdfast/platform/database/text'
import type { Log } from '@holdfast/platform/log/log'
import type { Random } from '@holdfast/platform/random/random'
import type { ServerName } from '@holdfast/protocol/ids/brand'
import * as storage from '../../storage/destinations.ts'
import { openNidAllocator } from '../../storage/nids.ts'
import { afterFailure, type Failing, type Failure, isDormant, isDue } from './backoff.ts'

export type DestinationState =
  | { readonly kind: 'up'; readonly lastSuccessMs: number | undefined }
  /** `dormant`: it has been away for so long that it is tried once a day. */
  | ({
      readonly kind: 'backing-off' | 'dormant'
      readonly lastSuccessMs: number | undefined
      /** Whether a try is due. */
      readonly isDue: boolean
    } & Failing)

export type Admission =
  /** The request may be sent; `done` when it has ended. */
  { readonly kind: 'go'; done(): void } | { readonly kind: 'wait'; readonly retryAfterMs: number }

export type Destinations = {
  /** Makes a row for the server, which lasts. From then on its failures survive a restart. */
  nidOf(server: ServerName): Promise<number>
  state(server: ServerName): Promise<DestinationState>
  /** Whether a request may be sent now. A server that fails is tried by one request at a time; urgent ones do not ask. */
  admit(server: ServerName, urgent: boolean): Promise<Admission>
  succeeded(server: ServerName): void
  failed(server: ServerName, failure: Failure): void
  /** The server proved to us that it is there. */
  heardFrom(server: ServerName): void
  /** Called for each server that failed and can be tried at once: it was heard from, or answered. Must not throw. */
  onAwake(listener: (server: ServerName) => void): Disposable
  /** Resolves when what is known so far is stored. */
  settled(): Promise<void>
}

export type DestinationsDeps = {
  readonly db: Database
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

export const DESTINATION_LIMITS = {
  inMemoryMax: 20_000,
  /** Of servers that fail, so many may be tried at once: ten thousand dead ones must not take all sockets and lookups. */
  probesMax: 50,
  probeWaitMs: 5_000,
  /** A server that can send but not be reached would otherwise make us try for each of its requests. */
  heardEveryMs: 30_000,
  successSavedEveryMs: 3_600_000,
} as const

type Known = {
  nid: number | undefined
  failing: Failing | undefined
  lastSuccessMs: number | undefined
  savedSuccessMs: number
  heardMs: number
  probing: boolean
}

export function openDestinations(deps: DestinationsDeps): Destinations {
  return new DestinationTable(deps)
}

class DestinationTable implements Destinations {
  readonly #deps: DestinationsDeps
  readonly #known = new LRUCache<ServerName, Known>(upTo(DESTINATION_LIMITS.inMemoryMax))
  readonly #loading = new Map<ServerName, Promise<Known>>()
  readonly #interning = new Map<ServerName, Promise<number>>()
  readonly #listeners = new Set<(server: ServerName) => void>()
  readonly #allocator
  #saving: Promise<unknown> = Promise.resolve()
  #probes = 0

  constructor(deps: DestinationsDeps) {
    this.#deps = deps
    this.#allocator = openNidAllocator(deps.db, 'destination')
  }

  async nidOf(server: ServerName): Promise<number> {
    const known = await this.#load(server)
    if (known.nid !== undefined) return known.nid
    let making = this.#interning.get(server)
    if (making === undefined) {
      making = this.#intern(server).finally(() => this.#interning.delete(server))
      this.#interning.set(server, making)
    }
    return making
  }

  async state(server: ServerName): Promise<DestinationState> {
    const { failing, lastSuccessMs } = await this.#load(server)
    if (failing === undefined) return { kind: 'up', lastSuccessMs }
    const due = isDue(failing, this.#deps.clock.nowMs())
    return { ...failing, kind: isDormant(failing) ? 'dormant' : 'backing-off', lastSuccessMs, isDue: due }
  }

  async admit(server: ServerName, urgent: boolean): Promise<Admission> {
    const known = await this.#load(server)
    const { failing } = known
    if (failing === undefined || urgent) return { kind: 'go', done: () => {} }
    const nowMs = this.#deps.clock.nowMs()
    if (!isDue(failing, nowMs)) return { kind: 'wait', retryAfterMs: failing.retryAtMs - nowMs }
    if (known.probing || this.#probes >= DESTINATION_LIMITS.probesMax) {
      return { kind: 'wait', retryAfterMs: DESTINATION_LIMITS.probeWaitMs }
    }
    known.probing = true
    this.#probes += 1
    const done = () => {
      known.probing = false
      this.#probes -= 1
    }
    return { kind: 'go', done }
  }

  succeeded(server: ServerName): void {
    this.#with(server, (known) => {
      const nowMs = this.#deps.clock.nowMs()
      const wasFailing = known.failing !== undefined
      known.failing = undefined
      known.lastSuccessMs = nowMs
      if (wasFailing) this.#deps.log.info({ destination: server }, 'destination answers again')
      if (wasFailing || nowMs - known.savedSuccessMs >= DESTINATION_LIMITS.successSavedEveryMs) this.#save(known)
      if (wasFailing) this.#awake(server)
    })
  }

  failed(server: ServerName, failure: Failure): void {
    this.#with(server, (known) => {
      const { clock, random, log } = this.#deps
      const before = known.failing
      known.failing = afterFailure(before, failure, { nowMs: clock.nowMs(), random })
      if (before === undefined) log.info({ destination: server, error: known.failing.lastError }, 'destination fails')
      if (before?.retryAtMs !== known.failing.retryAtMs) this.#save(known)
    })
  }

  heardFrom(server: ServerName): void {
    this.#with(server, (known) => {
      if (known.failing === undefined) return
      const { clock } = this.#deps
      if (clock.monotonicMs() - known.heardMs < DESTINATION_LIMITS.heardEveryMs) return
      known.heardMs = clock.monotonicMs()
      known.failing = { ...known.failing, retryAtMs: clock.nowMs(), intervalMs: 0 }
      this.#save(known)
      this.#awake(server)
    })
  }

  onAwake(listener: (server: ServerName) => void): Disposable {
    this.#listeners.add(listener)
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) }
  }

  async settled(): Promise<void> {
    await Promise.all(this.#loading.values())
    await this.#saving
  }

  #awake(server: ServerName): void {
    for (const listener of this.#listeners) listener(server)
  }

  #with(server: ServerName, change: (known: Known) => void): void {
    const known = this.#known.get(server)
    if (known !== undefined) {
      change(known)
      return
    }
    const failed = (error: unknown) => this.#deps.log.warn({ err: error, destination: server }, 'destination not read')
    this.#load(server).then(change, failed)
  }

  async #load(server: ServerName): Promise<Known> {
    const known = this.#known.get(server)
    if (known !== undefined) return known
    let loading = this.#loading.get(server)
    if (loading === undefined) {
      loading = this.#read(server).finally(() => this.#loading.delete(server))
      this.#loading.set(server, loading)
    }
    return loading
  }

  async #read(server: ServerName): Promise<Known> {
    const row = await storage.destination(this.#deps.db, server)
    const known: Known = {
      nid: row?.destination_nid,
      failing: row === undefined ? undefined : failingOf(row),
      lastSuccessMs: row?.last_success_ms ?? undefined,
      savedSuccessMs: row?.last_success_ms ?? 0,
      heardMs: -Infinity,
      probing: false,
    }
    this.#known.set(server, known)
    return known
  }

  async #intern(server: ServerName): Promise<number> {
    const [fresh] = await this.#allocator.take(1)
    await this.#deps.db.commit([storage.insertDestination(fresh!, server)])
    // Read back: another process may have been first.
    const row = await storage.destination(this.#deps.db, server)
    if (row === undefined) throw new Error('a destination vanished after its commit')
    const known = await this.#load(server)
    known.nid = row.destination_nid
    if (known.failing !== undefined) this.#save(known)
    return row.destination_nid
  }

  #save(known: Known): void {
    if (known.nid === undefined) return
    known.savedSuccessMs = known.lastSuccessMs ?? 0
    const saving = this.#deps.db.commit([storage.updateDestination(rowOf(known, known.nid))])
    // What is lost is only how long to wait: the next failure tells again.
    this.#saving = saving.catch((error: unknown) => this.#deps.log.warn({ err: error }, 'destination not stored'))
  }
}

function failingOf(row: storage.DestinationRow): Failing | undefined {
  if (row.failing_since_ms === null) return undefined
  return {
    sinceMs: row.failing_since_ms,
    retryAtMs: row.retry_at_ms ?? 0,
    intervalMs: row.interval_ms,
    lastError: originalText(row.last_error ?? ''),
  }
}

function rowOf({ failing, lastSuccessMs }: Known, nid: number): storage.DestinationRow {
  return {
    destination_nid: nid,
    failing_since_ms: failing?.sinceMs ?? null,
    retry_at_ms: failing?.retryAtMs ?? null,
    interval_ms: failing?.intervalMs ?? 0,
    last_success_ms: lastSuccessMs ?? null,
    last_error: failing === undefined ? null : storedText(failing.lastError),
  }
}
