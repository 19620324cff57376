/** The database and the services on it, without any port: for the server, and for commands that work on the data. */
import { verifyElsewhere } from '@holdfast/homeserver/federation/transport/verify-elsewhere'
import { openHomeserver, type RunningHomeserver } from '@holdfast/homeserver/open-homeserver'
import { createVerifyPool } from '@holdfast/platform/crypto/verify-pool'
import type { Database, DatabaseObserver } from '@holdfast/platform/database/database'
import { parseServerName } from '@holdfast/protocol/ids/server-name'
import { homeserverSettings } from './homeserver-settings.ts'
import { openDatabase } from './open-database.ts'
import type { HoldfastPorts } from './ports.ts'
import { openOutgoing } from './outgoing.ts'
import { StartProblem } from './start-problem.ts'

export type Services = AsyncDisposable & { readonly db: Database; readonly homeserver: RunningHomeserver }

export async function openServices(ports: HoldfastPorts, observer: DatabaseObserver = {}): Promise<Services> {
  const { config, clock, random, log } = ports
  const serverName = parseServerName(config.serverName)
  if (serverName === undefined) throw new StartProblem('settings', `"${config.serverName}" cannot be a server name`)
  await using opening = new AsyncDisposableStack()
  const db = opening.use(await openDatabase(config, observer))
  const settings = homeserverSettings(config)
  const { http, resolver } = opening.use(await openOutgoing(ports))
  const homeserver = opening.use(
    await openHomeserver({
      serverName,
      settings,
      db,
      clock,
      random,
      log: log.named('homeserver'),
      http,
      resolver,
      verifySignatures: verifyElsewhere(createVerifyPool()),
    }),
  )
  const resources = opening.move()
  return { db, homeserver, [Symbol.asyncDispose]: () => resources.disposeAsync() }
}
