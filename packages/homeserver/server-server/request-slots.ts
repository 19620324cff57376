/** How many requests of other servers are worked on at once: so many of each server and in all, whatever a server sends. */
import type { Clock } from '@holdfast/platform/clock/clock'
import { matrixError, type MatrixError } from '@holdfast/protocol/errors'
import type { ServerName } from '@holdfast/protocol/ids/brand'
import { WORK_LIMITS } from '@holdfast/protocol/limits'

export type SlotLimits = {
  readonly perOriginMax: number
  readonly totalMax: number
  /** Requests of one server that wait. */
  readonly queuedPerOriginMax: number
  readonly queuedMax: number
  /** Of all bodies that wait. */
  readonly queuedBytesMax: number
  readonly queuedMsMax: number
}

export type SlotRequest = {
  readonly origin: ServerName
  readonly bytes: number
  /** Ends the waiting, not the work. */
  readonly signal: AbortSignal
}

export type RequestSlots = {
  /** @throws {MatrixError} M_LIMIT_EXCEEDED if too much waits already, or for too long */
  run<T>(request: SlotRequest, work: () => Promise<T>): Promise<T>
}

/** Kinds of work that do not wait for one another: a server can work off our transaction only if it may ask us meanwhile. */
export type SlotKind = 'transactions' | 'reads' | 'keys'

export type AllSlots = Readonly<Record<SlotKind, RequestSlots>>

export function openAllSlots(clock: Clock): AllSlots {
  const queue = {
    queuedPerOriginMax: WORK_LIMITS.requestsQueuedPerOriginMax,
    queuedMax: WORK_LIMITS.requestsQueuedMax,
    queuedBytesMax: WORK_LIMITS.requestBytesQueuedMax,
    queuedMsMax: WORK_LIMITS.requestsQueuedMsMax,
  }
  const reads = { perOriginMax: WORK_LIMITS.readsPerOriginMax, totalMax: WORK_LIMITS.readsTotalMax, ...queue }
  const { transactionsPerOriginMax: perOriginMax, transactionsTotalMax: totalMax } = WORK_LIMITS
  return {
    transactions: openRequestSlots(clock, { perOriginMax, totalMax, ...queue }),
    reads: openRequestSlots(clock, reads),
    keys: openRequestSlots(clock, reads),
  }
}

type Waiter = { readonly bytes: number; go(): void }

type Lane = { busy: number; readonly waiting: Set<Waiter> }

export function openRequestSlots(clock: Clock, limits: SlotLimits): RequestSlots {
  return new Slots(clock, limits)
}

class Slots implements RequestSlots {
  readonly #clock: Clock
  readonly #limits: SlotLimits
  readonly #lanes = new Map<ServerName, Lane>()
  /** Servers that have something waiting and may have more at work, in the order of their turns. */
  readonly #ready = new Set<ServerName>()
  #busy = 0
  #queued = 0
  #queuedBytes = 0

  constructor(clock: Clock, limits: SlotLimits) {
    this.#clock = clock
    this.#limits = limits
  }

  async run<T>(request: SlotRequest, work: () => Promise<T>): Promise<T> {
    const { origin } = request
    const lane = this.#lanes.get(origin) ?? { busy: 0, waiting: new Set() }
    this.#lanes.set(origin, lane)
    const { perOriginMax, totalMax } = this.#limits
    if (lane.busy < perOriginMax && this.#busy < totalMax && lane.waiting.size === 0) this.#begin(lane)
    else await this.#wait(request, lane)
    try {
      return await work()
    } finally {
      lane.busy -= 1
      this.#busy -= 1
      this.#tidy(origin, lane)
      this.#next()
    }
  }

  #begin(lane: Lane): void {
    lane.busy += 1
    this.#busy += 1
  }

  async #wait({ origin, bytes, signal }: SlotRequest, lane: Lane): Promise<void> {
    if (this.#isFull(lane, bytes)) {
      this.#tidy(origin, lane)
      throw tooMany()
    }
    await new Promise<void>((resolve, reject) => {
      const waiter: Waiter = { bytes, go: () => end(resolve) }
      const giveUp = (): void => {
        this.#remove(lane, waiter)
        this.#tidy(origin, lane)
        end(() => reject(tooMany()))
      }
      const timer = this.#clock.after(this.#limits.queuedMsMax, giveUp)
      const end = (settle: () => void): void => {
        timer[Symbol.dispose]()
        signal.removeEventListener('abort', giveUp)
        settle()
      }
      signal.addEventListener('abort', giveUp)
      lane.waiting.add(waiter)
      this.#queued += 1
      this.#queuedBytes += bytes
      if (lane.busy < this.#limits.perOriginMax) this.#ready.add(origin)
      if (signal.aborted) giveUp()
    })
  }

  #isFull(lane: Lane, bytes: number): boolean {
    const { queuedPerOriginMax, queuedMax, queuedBytesMax } = this.#limits
    if (lane.waiting.size >= queuedPerOriginMax || this.#queued >= queuedMax) return true
    return this.#queuedBytes + bytes > queuedBytesMax
  }

  /** Servers take turns, so that one with many requests delays another by one of them. */
  #next(): void {
    while (this.#busy < this.#limits.totalMax) {
      const [origin] = this.#ready
      if (origin === undefined) return
      this.#ready.delete(origin)
      const lane = this.#lanes.get(origin)!
      const [waiter] = lane.waiting
      if (waiter === undefined) continue
      this.#remove(lane, waiter)
      this.#begin(lane)
      this.#tidy(origin, lane)
      waiter.go()
    }
  }

  #remove(lane: Lane, waiter: Waiter): void {
    if (!lane.waiting.delete(waiter)) return
    this.#queued -= 1
    this.#queuedBytes -= waiter.bytes
  }

  #tidy(origin: ServerName, lane: Lane): void {
    if (lane.waiting.size === 0) this.#ready.delete(origin)
    else if (lane.busy < this.#limits.perOriginMax) this.#ready.add(origin)
    if (lane.waiting.size === 0 && lane.busy === 0) this.#lanes.delete(origin)
  }
}

const RETRY_AFTER_MS = 5_000

function tooMany(): MatrixError {
  return matrixError('M_LIMIT_EXCEEDED', 'Too many requests of your server at once. Try again in some seconds.', {
    extra: { retry_after_ms: RETRY_AFTER_MS },
  })
}
