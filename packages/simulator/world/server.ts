/** One real homeserver that can die and start again on what it has made durable. */
import { openHomeserver, type RunningHomeserver } from '@holdfast/homeserver/open-homeserver'
import type { Homeserver } from '@holdfast/homeserver/homeserver'
import type { Clock } from '@holdfast/platform/clock/clock'
import type { Database } from '@holdfast/platform/database/database'
import type { Resolver } from '@holdfast/platform/dns/resolver'
import type { HttpRequest, HttpResponse } from '@holdfast/platform/http/service'
import type { PasswordHasher } from '@holdfast/platform/password/password-hasher'
import { createSeededRandom } from '@holdfast/platform/random/seeded-random'
import type { ServerName } from '@holdfast/protocol/ids/brand'
import type { VirtualNetwork } from '../network/virtual-network.ts'
import { type CommitFate, mortalDatabase, writtenText } from '../storage/mortal-database.ts'
import { serverClock } from '../time/server-clock.ts'
import type { VirtualTime } from '../time/virtual-time.ts'
import { beginLife, type Life } from './life.ts'
import { tracingLog } from './tracing-log.ts'

export type ServerDeps = {
  readonly seed: number
  readonly name: ServerName
  readonly time: VirtualTime
  readonly network: VirtualNetwork
  readonly disk: Database
  /** What its wall clock shows at the start of the simulation. */
  readonly wallOffsetMs: number
  readonly fate: () => CommitFate
  readonly restartDelayMs: () => number
  readonly note: (who: string, what: string, hidden?: string) => void
  readonly complain: (rule: string, what: string) => void
  /** Each life has its own clock; hands it out for those who look from outside. */
  readonly onStart?: (clock: Clock) => void
}

const SETTINGS = {
  publicBaseUrl: undefined,
  registration: 'open',
  registrationSharedSecret: undefined,
  terms: [],
  rateLimits: undefined,
  presence: true,
} as const

export class SimulatedServer {
  readonly name: ServerName
  readonly disk: Database
  readonly #deps: ServerDeps
  #life: Life = beginLife(0)
  #running: RunningHomeserver | undefined
  #lives = 0
  /** Commits whose outcome was kept from the server: what it says afterwards may be "try again". */
  faults = 0

  constructor(deps: ServerDeps) {
    this.#deps = deps
    this.name = deps.name
    this.disk = deps.disk
  }

  get isUp(): boolean {
    return this.#running !== undefined && !this.#life.isOver
  }

  get lives(): number {
    return this.#lives
  }

  get parts(): Homeserver {
    if (this.#running === undefined) throw new Error(`${this.name} does not run`)
    return this.#running.parts
  }

  /** Does not wait until it is up. */
  start(): void {
    this.#lives += 1
    const life = beginLife(this.#lives)
    this.#life = life
    this.#running = undefined
    const { note, name, time, restartDelayMs, complain } = this.#deps
    note(name, `starts (${this.#lives})`)
    void life.ended.then(() => {
      this.#running = undefined
      note(name, 'dies')
      time.after(restartDelayMs(), () => this.start())
    })
    this.#open(life).catch((error: Error) => {
      if (this.faults > 0) life.end()
      else complain('starts', `${name} does not start: ${error.stack}`)
    })
  }

  async #open(life: Life): Promise<void> {
    const { seed, name, time, network, disk, wallOffsetMs } = this.#deps
    const clock = serverClock(time, life, wallOffsetMs)
    const running = await openHomeserver({
      serverName: name,
      settings: SETTINGS,
      db: mortalDatabase(disk, {
        life,
        fate: () => this.#fate(),
        note: (fate, statements) => {
          const what = `commits ${statements.length}${fate === 'applied' ? '' : ` ${fate}`}`
          this.#deps.note(name, what, writtenText(statements))
        },
      }),
      clock,
      random: createSeededRandom(`${seed} ${name} ${life.number}`),
      log: tracingLog(this.#deps, life),
      passwords: CHEAP_PASSWORDS,
      http: network.clientOf(name, life),
      resolver: RESOLVER,
    })
    await running.start()
    if (life.isOver) return
    this.#running = running
    this.#deps.onStart?.(clock)
  }

  #fate(): CommitFate {
    const fate = this.#deps.fate()
    if (fate !== 'applied') this.faults += 1
    return fate
  }

  /** The process dies now. */
  crash(): void {
    this.#life.end()
  }

  /** undefined: there is no process, or it died before it answered. */
  async handle(request: HttpRequest): Promise<HttpResponse | undefined> {
    if (!this.isUp) return undefined
    const gone = this.#life.ended.then(() => undefined)
    return Promise.race([this.#running!.handle(request), gone])
  }
}

const CHEAP_PASSWORDS: PasswordHasher = {
  hash: async (password) => `plain:${password}`,
  verify: async (password, stored) => ({ matches: stored === `plain:${password}`, needsRehash: false }),
}

/** No name has a service of its own; each leads to one address. */
const RESOLVER: Resolver = {
  lookupSrv: async () => [],
  lookupAddresses: async () => [{ address: '192.0.2.1', family: 4 }],
}
