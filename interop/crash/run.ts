/** `npm run crash`: kill -9 under mixed load, start again, and check that nothing was lost, doubled or torn; see README.md. */
import { setTimeout as sleep } from 'node:timers/promises'
import { startPostgres } from '@holdfast/platform/database/testing/postgres'
import { type HoldfastProcess, prepareHoldfast } from '../server/holdfast.ts'
import { integrityProblems } from './database.ts'
import { checkEverything } from './final-checks.ts'
import { openHttp } from './http.ts'
import { type Lanes, openLanes } from './lanes.ts'
import { tellLie } from './lies.ts'
import { type Options, parseOptions } from './options.ts'
import { type Chance, seeded } from './seeded.ts'
import { setUp } from './setup.ts'
import { startSyncer, type Syncer } from './syncer.ts'
import { violated, type World } from './world.ts'

const LOAD_MS = { min: 120, max: 650 }
const START_KILL_MS_MAX = 450
const STOP_KILL_MS_MAX = 40
const CATCH_UP_MS_MAX = 20_000
const SHOWN_VIOLATIONS = 20

type Run = {
  readonly server: HoldfastProcess
  readonly world: World
  readonly lanes: Lanes
  readonly syncers: readonly Syncer[]
}

async function main(options: Options): Promise<number> {
  console.log(`crash: ${options.cycles} cycles, --seed ${options.seed}, ${options.users} users`)
  const startedMs = performance.now()
  await using postgres = options.postgres ? await startPostgres({ durable: true }) : undefined
  await using server = await prepareHoldfast({
    settings: postgres === undefined ? {} : { HOLDFAST_DATABASE: postgres.url },
  })
  await server.start()
  const http = openHttp(server.url)
  const chance = seeded(options.seed)
  const world = await setUp(http, chance, options.users)
  const run: Run = {
    server,
    world,
    lanes: openLanes(world),
    syncers: world.users.map((user) => startSyncer(world, user)),
  }
  try {
    await cycles(run, options, startedMs)
    if (world.violations.length === 0) await finish(run, options)
  } catch (error) {
    violated(world, error instanceof Error ? (error.stack ?? error.message) : String(error))
  }
  http.close()
  return report(run, options, startedMs)
}

async function cycles(run: Run, { cycles, minutesMax }: Options, startedMs: number): Promise<void> {
  for (let cycle = 1; cycle <= cycles; cycle += 1) {
    const how = await oneCycle(run, run.world.chance.fork(`cycle ${cycle}`))
    if (run.world.violations.length > 0) return
    if (cycle % Math.max(1, Math.floor(cycles / 20)) === 0 || cycle === cycles) {
      console.log(`  ${cycle}/${cycles}, ${seconds(startedMs)}: ${progress(run)}; last: ${how}`)
    }
    if (performance.now() - startedMs > minutesMax * 60_000) {
      violated(run.world, `${cycle} cycles took longer than ${minutesMax} minutes`)
      return
    }
  }
}

/** Load, death, and a server that comes back with everything. */
async function oneCycle({ server, world, lanes, syncers }: Run, chance: Chance): Promise<string> {
  const from = { events: world.ledger.events.length, notes: world.ledger.notes.length }
  const loadMs = chance.between(LOAD_MS.min, LOAD_MS.max)
  const load = lanes.run()
  await sleep(loadMs)
  const how = await kill(server, chance, loadMs)
  await load
  if (chance.fraction() < 0.15) await killWhileStarting(server, chance)
  await server.start()
  await lanes.settle()
  await caughtUp(world, syncers, from)
  return how
}

async function kill(server: HoldfastProcess, chance: Chance, loadMs: number): Promise<string> {
  if (chance.fraction() < 0.85) {
    await server.kill()
    return `kill after ${loadMs} ms of load`
  }
  const afterTermMs = chance.between(0, STOP_KILL_MS_MAX)
  await server.kill({ afterTermMs })
  return `kill ${afterTermMs} ms after SIGTERM`
}

async function killWhileStarting(server: HoldfastProcess, chance: Chance): Promise<void> {
  const starting = server.start().catch(() => undefined)
  await sleep(chance.between(10, START_KILL_MS_MAX))
  await server.kill()
  await starting
}

async function caughtUp(
  world: World,
  syncers: readonly Syncer[],
  from: { readonly events: number; readonly notes: number },
): Promise<void> {
  const untilMs = performance.now() + CATCH_UP_MS_MAX
  for (const syncer of syncers) {
    for (let missing = syncer.missing(from); missing !== undefined; missing = syncer.missing(from)) {
      if (world.violations.length > 0) return
      if (performance.now() > untilMs) {
        violated(world, `acknowledged, but ${syncer.user.userId} never received it by sync: ${missing}`)
        return
      }
      await sleep(5)
    }
  }
}

async function finish({ server, world, syncers }: Run, { lie }: Options): Promise<void> {
  if (lie !== undefined) await tellLie(world, lie)
  await sleep(200)
  await Promise.all(syncers.map((syncer) => syncer.stop()))
  await checkEverything(world, syncers)
  await server.stop()
  const problems = integrityProblems(server.dataFolder)
  if (problems === undefined) console.log('  no SQLite database to look at')
  else for (const problem of problems) violated(world, problem)
}

function report(run: Run, { seed }: Options, startedMs: number): number {
  const { violations } = run.world
  if (violations.length === 0) {
    console.log(`crash: passed in ${seconds(startedMs)}: ${progress(run)}`)
    return 0
  }
  for (const violation of violations.slice(0, SHOWN_VIOLATIONS)) console.log(`  VIOLATION: ${violation}`)
  console.log(`crash: FAILED with ${violations.length} violations after ${seconds(startedMs)}, --seed ${seed}`)
  return 1
}

function progress({ world, syncers }: Run): string {
  const { acknowledged, lost, repeated } = world.counts
  const gaps = syncers.reduce((sum, { counts }) => sum + counts.gaps, 0)
  const rooms = world.ledger.rooms.length
  return `${acknowledged} acknowledged, ${lost} without an answer, ${repeated} repeated, ${rooms} rooms made, ${gaps} sync gaps filled`
}

function seconds(sinceMs: number): string {
  return `${((performance.now() - sinceMs) / 1000).toFixed(1)} s`
}

process.exitCode = await main(parseOptions(process.argv.slice(2)))
