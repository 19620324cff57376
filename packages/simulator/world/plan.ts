/** What a seed means: how many servers, how bad the world, how much is done. */
import { createSeededRandom } from '@holdfast/platform/random/seeded-random'
import type { LinkFaults } from '../network/links.ts'

export type Plan = {
  readonly seed: number
  readonly servers: number
  readonly peoplePerServer: number
  readonly actionsPerPerson: number
  readonly roomVersions: readonly string[]
  /** How long people act. */
  readonly busyMs: number
  readonly links: LinkFaults
  readonly partitions: number
  /** Commits out of a thousand that kill the server. */
  readonly crashes: number
  /** Commits out of a thousand whose outcome the server does not learn, or that are refused. */
  readonly lostOutcomes: number
  /** How far the wall clocks are apart, at most. */
  readonly skewMsMax: number
  readonly hasLiar: boolean
}

const VERSIONS = ['1', '6', '10', '12'] as const

export function planOf(seed: number): Plan {
  const random = createSeededRandom(`plan ${seed}`)
  const pick = <T>(choices: readonly T[]): T => choices[random.integer(choices.length)]!
  const servers = pick([2, 3, 3, 3, 4])
  return {
    seed,
    servers,
    peoplePerServer: servers > 3 ? 1 : pick([1, 2, 2]),
    actionsPerPerson: pick([10, 15, 20]),
    roomVersions: random.integer(3) === 0 ? [pick(VERSIONS), pick(VERSIONS)] : [pick(VERSIONS)],
    busyMs: 60_000,
    links: {
      loss: pick([0, 0, 10, 50, 150]),
      doubled: pick([0, 20, 100]),
      delayMsMin: 1,
      delayMsMax: pick([10, 200, 3000]),
    },
    partitions: pick([0, 0, 1, 3]),
    crashes: pick([0, 0, 3, 15]),
    lostOutcomes: pick([0, 0, 0, 5]),
    skewMsMax: pick([0, 1000, 60_000]),
    hasLiar: pick([false, false, true]),
  }
}
