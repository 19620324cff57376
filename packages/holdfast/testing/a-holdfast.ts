/** A whole Holdfast in this process, on a free port and in a folder of its own. */
import { createSystemClock } from '@holdfast/platform/clock/system-clock'
import type { Config } from '@holdfast/platform/config/keys'
import { defaultConfig } from '@holdfast/platform/config/load'
import { temporaryFolder } from '@holdfast/platform/database/testing/temporary-folder'
import { createSilentLog } from '@holdfast/platform/log/silent-log'
import { createCryptoRandom } from '@holdfast/platform/random/crypto-random'
import { type RunningHoldfast, startHoldfast } from '../server/start.ts'

export const aFolder = temporaryFolder

export async function startIn(data: string, changes: Partial<Config> = {}): Promise<RunningHoldfast & AsyncDisposable> {
  const config = defaultConfig({
    serverName: 'example.org',
    listen: [{ host: '127.0.0.1', port: 0 }],
    data,
    ...changes,
  })
  const running = await startHoldfast({
    config,
    clock: createSystemClock(),
    random: createCryptoRandom(),
    log: createSilentLog(),
  })
  let stopping: Promise<void> | undefined
  const stop = (deadlineMs: number) => (stopping ??= running.stop(deadlineMs))
  return { ...running, stop, [Symbol.asyncDispose]: () => stop(1000) }
}
