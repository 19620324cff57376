/** Which server is sent to next: one transaction each, in turn, and not too many at once. */
import { createSlices } from '@holdfast/platform/clock/slices'
import type { Homeserver } from '../../homeserver.ts'
import type { FederationTransport } from '../transport/open-transport.ts'
import type { Delivery } from './deliver.ts'
import { hasWork, type Lane } from './lane.ts'
import { OUTBOX_LIMITS } from './limits.ts'

export type Pump = {
  /** Something waits for this server. */
  wake(lane: Lane): void
  /** The server can be reached now, whatever was thought. */
  wakeNow(lane: Lane): void
  pause(lane: Lane, ms: number): void
  readonly inFlight: number
  /** Resolves when nothing is in flight; nothing more is begun. */
  drain(): Promise<void>
}

type PumpDeps = Pick<Homeserver, 'clock' | 'log' | 'random'> & {
  readonly destinations: FederationTransport['destinations']
  /** Does not throw. */
  readonly deliver: (lane: Lane) => Promise<Delivery>
  /** After each transaction: how far servers have been told may have changed. */
  readonly delivered: (lane: Lane) => void
}

export function openPump(deps: PumpDeps): Pump {
  return new FairPump(deps)
}

class FairPump implements Pump {
  readonly #deps: PumpDeps
  readonly #ready = new Set<Lane>()
  /** Servers that pause only until another one was tried. */
  readonly #postponed = new Set<Lane>()
  readonly #drained: (() => void)[] = []
  #isStarting = false
  #isStopped = false
  #probes = 0
  inFlight = 0

  constructor(deps: PumpDeps) {
    this.#deps = deps
  }

  wake(lane: Lane): void {
    if (lane.isBusy || lane.pause !== undefined || this.#isStopped) return
    this.#ready.add(lane)
    void this.#startReady()
  }

  wakeNow(lane: Lane): void {
    this.#postponed.delete(lane)
    lane.pause?.timer[Symbol.dispose]()
    lane.pause = undefined
    if (hasWork(lane)) this.wake(lane)
    else this.#deps.delivered(lane)
  }

  pause(lane: Lane, ms: number): void {
    lane.pause?.timer[Symbol.dispose]()
    if (this.#isStopped) return
    const { clock } = this.#deps
    lane.pause = { untilMs: clock.monotonicMs() + ms, timer: clock.after(ms, () => this.wakeNow(lane)) }
  }

  drain(): Promise<void> {
    this.#isStopped = true
    this.#ready.clear()
    this.#postponed.clear()
    return this.inFlight === 0 ? Promise.resolve() : new Promise((resolve) => this.#drained.push(resolve))
  }

  async #startReady(): Promise<void> {
    if (this.#isStarting) return
    this.#isStarting = true
    const slice = createSlices(this.#deps.clock)
    // What is woken in one turn, such as all servers of a room, is begun in the next.
    await Promise.resolve()
    for (const lane of this.#ready) {
      if (this.inFlight >= OUTBOX_LIMITS.inFlightMax) break
      this.#ready.delete(lane)
      void this.#run(lane)
      await slice()
    }
    this.#isStarting = false
  }

  async #run(lane: Lane): Promise<void> {
    this.inFlight += 1
    lane.isBusy = true
    const outcome = await this.#attempt(lane).catch((error: unknown): Delivery => {
      this.#deps.log.error({ err: error, destination: lane.server }, 'outbox failed')
      return { kind: 'failed', message: String(error), waitMs: OUTBOX_LIMITS.troubleWaitMs }
    })
    if (outcome.kind === 'failed') await this.#failed(lane, outcome)
    lane.isBusy = false
    this.inFlight -= 1
    if (outcome.kind === 'failed' && outcome.isPostponed === true && !this.#isStopped) this.#postponed.add(lane)
    this.#tryPostponed()
    if (hasWork(lane)) this.wake(lane)
    this.#deps.delivered(lane)
    if (this.inFlight === 0) for (const resolve of this.#drained.splice(0)) resolve()
    void this.#startReady()
  }

  /** A server that fails is left alone until it may be tried, and costs nothing until then. */
  async #attempt(lane: Lane): Promise<Delivery> {
    const { clock, destinations, deliver } = this.#deps
    const state = await destinations.state(lane.server)
    if (state.kind === 'up') return deliver(lane)
    if (!state.isDue) return { kind: 'failed', message: state.lastError, waitMs: state.retryAtMs - clock.nowMs() }
    const { probesMax, probeWaitMs } = OUTBOX_LIMITS
    if (this.#probes >= probesMax) {
      return { kind: 'failed', message: state.lastError, waitMs: probeWaitMs, isPostponed: true }
    }
    this.#probes += 1
    try {
      return await deliver(lane)
    } finally {
      this.#probes -= 1
    }
  }

  /** When thousands of servers come back together, such as after an outage of our own, none waits for a clock. */
  #tryPostponed(): void {
    if (this.#probes >= OUTBOX_LIMITS.probesMax) return
    for (const lane of this.#postponed) {
      this.wakeNow(lane)
      return
    }
  }

  #notStored({ server }: Lane, error: unknown): void {
    this.#deps.log.warn({ err: error, destination: server }, 'destination not stored')
  }

  async #failed(lane: Lane, { message, waitMs }: Extract<Delivery, { kind: 'failed' }>): Promise<void> {
    const { clock, random, destinations } = this.#deps
    // Ephemeral news are old by then.
    lane.ephemeral.clear()
    lane.lastError = { message, atMs: clock.nowMs() }
    if (this.#isStopped) return
    // For whom something waits, it is remembered across a restart when it may be tried again.
    if (hasWork(lane)) await destinations.nidOf(lane.server).catch((error: unknown) => this.#notStored(lane, error))
    const state = await destinations.state(lane.server)
    const untilRetry = state.kind === 'up' ? 0 : state.retryAtMs - clock.nowMs()
    const baseMs = Math.max(waitMs ?? untilRetry, 0)
    this.pause(lane, Math.round(baseMs * (1 + random.integer(100) / 1000)))
  }
}
