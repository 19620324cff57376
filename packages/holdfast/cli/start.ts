/** `holdfast start` */
import { flushCompileCache } from 'node:module'
import { resolve } from 'node:path'
import { createSystemClock } from '@holdfast/platform/clock/system-clock'
import type { ConfigName } from '@holdfast/platform/config/keys'
import { fileName } from '@holdfast/platform/config/keys'
import { createLog, type RootLog } from '@holdfast/platform/log/create-log'
import { createCryptoRandom } from '@holdfast/platform/random/crypto-random'
import { type RunningHoldfast, startHoldfast } from '../server/start.ts'
import { VERSION } from '../version.ts'
import { banner } from './banner.ts'
import { loadSettings, type Settings } from './settings.ts'
import type { Terminal } from './terminal.ts'

/** Settings that later versions obey. Silence would let people believe in them. */
const WITHOUT_EFFECT: readonly ConfigName[] = ['smtp', 'mailFrom', 'appservices']

/** Resolves when the server has stopped. */
export async function start(terminal: Terminal, options: Readonly<Record<string, unknown>>): Promise<void> {
  const settings = await loadSettings(terminal, options)
  const { config } = settings
  const log = createLog({ level: config.logLevel, format: config.logFormat })
  surviveStrayFailures(log)
  const stopSignal = untilSignal()
  const running = await startHoldfast({ config, clock: createSystemClock(), random: createCryptoRandom(), log })
  sayHello(terminal, settings, running, log)
  // Otherwise only a gentle stop would leave the next start the cache of compiled code.
  flushCompileCache()
  process.on('SIGHUP', () => void running.reload())
  const reason = await stopSignal
  log.info({ reason }, 'stopping')
  await running.stop(config.stopTimeout)
  log.info({}, 'stopped')
  await log.flush()
}

function sayHello(terminal: Terminal, { config, file, given }: Settings, running: RunningHoldfast, log: RootLog): void {
  const { urls, firstRunLink } = running
  const data = resolve(terminal.cwd, config.data)
  if (log.forPeople)
    terminal.print(banner({ urls, firstRunLink, serverName: config.serverName, data, configFile: file }))
  else log.info({ version: VERSION, serverName: config.serverName, urls, data, firstRunLink }, 'started')
  for (const name of given.filter((one) => WITHOUT_EFFECT.includes(one))) {
    log.warn({ setting: fileName(name) }, 'this setting has no effect in this version')
  }
  void log.flush()
}

/** The first signal stops gently; the handlers are gone by then, so that a second one ends the process at once. */
function untilSignal(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve(signal))
  })
}

/**
 * Everything acknowledged is on disk, so going on after a forgotten rejection risks one request, while stopping would
 * let whoever found a way to cause it stop the house. A thrown error outside of any request may have left anything
 * half-done: that ends the process.
 */
function surviveStrayFailures(log: RootLog): void {
  process.on('unhandledRejection', (reason) => log.error({ err: reason }, 'a failure that nobody waited for'))
  process.on('uncaughtExceptionMonitor', (error) => log.fatal({ err: error }, 'uncaught exception'))
}
