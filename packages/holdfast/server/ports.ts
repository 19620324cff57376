/** What a running Holdfast takes from the world. */
import type { Clock } from '@holdfast/platform/clock/clock'
import type { Config } from '@holdfast/platform/config/keys'
import type { Log } from '@holdfast/platform/log/log'
import type { Random } from '@holdfast/platform/random/random'

export type HoldfastPorts = {
  readonly config: Config
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}
