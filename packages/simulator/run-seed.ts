/** One seed from its beginning to its verdict. */
import { converge } from './phases/converge.ts'
import { liveThroughFaults } from './phases/live-through-faults.ts'
import { lookBack } from './phases/look-back.ts'
import { settleIn } from './phases/settle-in.ts'
import { INVARIANTS } from './invariants/invariants.ts'
import { planOf } from './world/plan.ts'
import { createWorld, type Violation, type World } from './world/world.ts'

export type SeedResult = {
  readonly seed: number
  readonly digest: string
  readonly violations: readonly Violation[]
  readonly steps: number
  readonly virtualMs: number
  readonly exchanges: number
  readonly acknowledged: number
  readonly crashes: number
  /** People who had to leave and join again. */
  readonly isolated: number
  /** For a seed that fails: the newest lines of its trace. */
  readonly trace: readonly string[]
}

export type SeedOptions = { readonly traceLines?: number; readonly about?: string }

export async function runSeed(seed: number, options: SeedOptions = {}): Promise<SeedResult> {
  await using world = await createWorld(planOf(seed))
  const onRejection = (error: unknown): void =>
    world.complain('no-unhandled-rejection', error instanceof Error ? (error.stack ?? error.message) : String(error))
  process.on('unhandledRejection', onRejection)
  try {
    await live(world)
  } catch (error) {
    world.complain('simulation', (error as Error).stack ?? String(error))
  } finally {
    process.off('unhandledRejection', onRejection)
  }
  return resultOf(world, options)
}

async function live(world: World): Promise<void> {
  await settleIn(world)
  await liveThroughFaults(world)
  await converge(world)
  await lookBack(world)
  for (const check of INVARIANTS) await check(world)
}

function resultOf(world: World, { traceLines = 60, about }: SeedOptions): SeedResult {
  const { trace, violations } = world
  return {
    seed: world.plan.seed,
    digest: trace.digest(),
    violations,
    steps: trace.count,
    virtualMs: world.time.elapsedMs,
    exchanges: world.exchanges.length,
    acknowledged: world.society.acknowledged.length,
    crashes: world.servers.reduce((sum, { lives }) => sum + lives - 1, 0),
    isolated: world.counts.isolated,
    trace: about === undefined ? trace.last(traceLines) : trace.about(about, traceLines),
  }
}
