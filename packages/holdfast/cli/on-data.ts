/** Runs a command on the running server, or on the data themselves when no server runs. */
import { createSystemClock } from '@holdfast/platform/clock/system-clock'
import { DatabaseLocked } from '@holdfast/platform/database/database'
import { createLog } from '@holdfast/platform/log/create-log'
import { createCryptoRandom } from '@holdfast/platform/random/crypto-random'
import { askRunningServer } from '../control/control-client.ts'
import { openServices, type Services } from '../server/open-services.ts'
import { StartProblem } from '../server/start-problem.ts'
import type { Settings } from './settings.ts'

export type Work = {
  /** What to ask a running server, and which member of its answer counts. */
  readonly action: string
  readonly body: object
  readonly answer: string
  readonly direct: (services: Services) => Promise<string>
}

export async function onData({ config }: Settings, work: Work): Promise<string> {
  const clock = createSystemClock()
  const answered = await askRunningServer(config.data, clock, work)
  if (answered !== undefined) return String(answered[work.answer])
  const log = createLog({ level: 'error', format: 'text' })
  try {
    await using services = await openServices({ config, clock, random: createCryptoRandom(), log })
    return await work.direct(services)
  } catch (error) {
    if (!(error instanceof DatabaseLocked)) throw error
    throw new StartProblem('data-in-use', `${error.message} (it runs, but does not answer commands)`, { cause: error })
  }
}
