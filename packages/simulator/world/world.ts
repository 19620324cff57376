/** A world of servers and people, from its seed. */
import { loadMigrations, type Migration } from '@holdfast/platform/database/migrations'
import type { Random } from '@holdfast/platform/random/random'
import { createSeededRandom } from '@holdfast/platform/random/seeded-random'
import { MIGRATIONS_FOLDER } from '@holdfast/homeserver/open-homeserver'
import type { ServerName } from '@holdfast/protocol/ids/brand'
import { createLinks, type Links } from '../network/links.ts'
import { type Answered, createVirtualNetwork, type Station, type VirtualNetwork } from '../network/virtual-network.ts'
import type { Society } from '../people/actions.ts'
import { Person } from '../people/person.ts'
import { openMemoryDatabase } from '../storage/memory-database.ts'
import type { CommitFate } from '../storage/mortal-database.ts'
import { createVirtualTime, type VirtualTime } from '../time/virtual-time.ts'
import { createTrace, type Trace } from '../trace/trace.ts'
import type { Plan } from './plan.ts'
import { SimulatedServer } from './server.ts'

export type Violation = { readonly rule: string; readonly what: string; readonly atMs: number }

export type World = AsyncDisposable & {
  readonly plan: Plan
  readonly time: VirtualTime
  readonly trace: Trace
  readonly links: Links
  readonly network: VirtualNetwork
  readonly servers: readonly SimulatedServer[]
  readonly society: Society
  readonly violations: Violation[]
  readonly exchanges: Answered[]
  readonly counts: { isolated: number }
  /** Others than our servers, by name. */
  readonly strangers: Map<string, Station>
  readonly random: (purpose: string) => Random
  readonly note: (who: string, what: string, hidden?: string) => void
  readonly complain: (rule: string, what: string) => void
  /** From now on things break as the plan says. */
  sicken(): void
  /** From now on nothing breaks by itself. */
  heal(): void
}

const NAMES = ['ash', 'birch', 'cedar', 'dogwood'] as const
/** What a right clock shows when the simulation begins. */
export const BEGINNING_MS = 1_790_000_000_000
const VIOLATIONS_MAX = 20
const RESTART_MS_MAX = 8_000

export async function createWorld(plan: Plan): Promise<World> {
  const migrations = await loadMigrations(MIGRATIONS_FOLDER)
  const time = createVirtualTime()
  const trace = createTrace()
  const violations: Violation[] = []
  const exchanges: Answered[] = []
  const strangers = new Map<string, Station>()
  const random = (purpose: string): Random => createSeededRandom(`${plan.seed} ${purpose}`)
  const links = createLinks(random('links'), plan.links)
  const note = (who: string, what: string, hidden?: string): void => trace.note(time.elapsedMs, who, what, hidden)
  const complain = (rule: string, what: string): void => {
    note('RULE', `${rule} ${what.split('\n')[0]}`)
    if (violations.length < VIOLATIONS_MAX) violations.push({ rule, what, atMs: time.elapsedMs })
  }
  const byName = new Map<string, SimulatedServer>()
  const health: Health = { isGood: true }
  const network = createVirtualNetwork({
    time,
    random: random('network'),
    links,
    note,
    station: (name) => strangers.get(name) ?? (byName.get(name)?.isUp === true ? byName.get(name) : undefined),
    answered: (exchange) => {
      exchanges.push(exchange)
      // Strangers may answer as they please.
      const server = byName.get(exchange.to)
      if (exchange.status >= 500 && server?.faults === 0)
        complain('no-5xx', `${exchange.to} to ${exchange.from} ${exchange.request.target}: ${exchange.body}`)
    },
  })
  const outside = { plan, time, random, network, note, complain, health, migrations }
  for (const server of createServers(outside)) byName.set(server.name, server)
  const servers = [...byName.values()]
  const people = servers.flatMap((server, at) =>
    Array.from({ length: plan.peoplePerServer }, (_, index) => {
      const localpart = `${'abcd'[at]}${index + 1}`
      return new Person({ server, localpart, time, random: random(`person ${localpart}`), note, complain })
    }),
  )
  return {
    plan,
    time,
    trace,
    links,
    network,
    servers,
    society: { people, rooms: [], acknowledged: [], said: 0, serverNames: servers.map(({ name }) => name) },
    violations,
    exchanges,
    counts: { isolated: 0 },
    strangers,
    random,
    note,
    complain,
    heal: () => {
      health.isGood = true
      links.heal()
    },
    sicken: () => {
      health.isGood = false
      links.sicken()
    },
    [Symbol.asyncDispose]: async () => {
      for (const server of servers) server.crash()
      for (const { disk } of servers) await disk[Symbol.asyncDispose]()
    },
  }
}

type Health = { isGood: boolean }

function createServers({
  plan,
  health,
  migrations,
  ...world
}: Pick<World, 'plan' | 'time' | 'random' | 'network' | 'note' | 'complain'> & {
  readonly health: Health
  readonly migrations: readonly Migration[]
}): readonly SimulatedServer[] {
  const fates = world.random('fates')
  const restarts = world.random('restarts')
  const skews = world.random('skews')
  return (NAMES.slice(0, plan.servers) as readonly string[] as readonly ServerName[]).map((name) => {
    const skewMs = plan.skewMsMax === 0 ? 0 : skews.integer(2 * plan.skewMsMax) - plan.skewMsMax
    const server: SimulatedServer = new SimulatedServer({
      ...world,
      seed: plan.seed,
      name,
      disk: openMemoryDatabase(migrations),
      wallOffsetMs: BEGINNING_MS + skewMs,
      fate: () => (health.isGood ? 'applied' : fateOf(plan, fates)),
      restartDelayMs: () => 100 + restarts.integer(RESTART_MS_MAX),
      complain: (rule, what) => {
        if (rule !== 'no-error-logged' || server.faults === 0) world.complain(rule, what)
      },
    })
    return server
  })
}

const LOST_OUTCOMES: readonly CommitFate[] = ['unknown-applied', 'unknown-lost', 'unavailable']

function fateOf(plan: Plan, random: Random): CommitFate {
  const drawn = random.integer(1000)
  if (drawn < plan.crashes) return random.integer(2) === 0 ? 'crash-before' : 'crash-after'
  if (drawn < plan.crashes + plan.lostOutcomes) return LOST_OUTCOMES[random.integer(LOST_OUTCOMES.length)]!
  return 'applied'
}
