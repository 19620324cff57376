/** Starts everything that the configuration asks for, and stops it again without losing anything. */
import { explain } from '@holdfast/homeserver/explain/explain'
import { anyAdmin } from '@holdfast/homeserver/storage/accounts'
import { ownServerName } from '@holdfast/homeserver/storage/server-identity'
import { Secret } from '@holdfast/platform/config/secret'
import { createMetrics } from '@holdfast/platform/metrics/create-metrics'
import { addProcessMetrics } from '@holdfast/platform/metrics/process-metrics'
import { writeControlFile } from '../control/control-file.ts'
import type { ControlActions } from '../control/control-service.ts'
import { type FirstRun, openFirstRun } from '../first-run/first-run.ts'
import { openLinkTokens } from '../first-run/link-tokens.ts'
import { createRegistrationToken } from './create-registration-token.ts'
import { createUser } from './create-user.ts'
import { databaseObserver } from './database-metrics.ts'
import { dispatcher, operationsOnly } from './dispatch.ts'
import { startHttpServers } from './http-servers.ts'
import { openServices, type Services } from './open-services.ts'
import type { OperationsDeps } from './operations.ts'
import { addOutboxMetrics } from './outbox-metrics.ts'
import type { HoldfastPorts } from './ports.ts'
import { localUrl } from './urls.ts'

export type RunningHoldfast = {
  /** Where it listens. */
  readonly urls: readonly string[]
  /** The one-time link, as long as there is no administrator. */
  readonly firstRunLink: string | undefined
  readonly services: Services
  /** Reads certificate files again. */
  reload(): Promise<void>
  /** Drains requests, then closes everything. */
  stop(deadlineMs: number): Promise<void>
}

const CONTROL_SECRET_CHARACTERS = 43

export async function startHoldfast(ports: HoldfastPorts): Promise<RunningHoldfast> {
  const { config, random, log } = ports
  await using opening = new AsyncDisposableStack()
  const metrics = createMetrics()
  opening.use(addProcessMetrics(metrics))
  const services = opening.use(await openServices(ports, databaseObserver(metrics, log.named('database'))))
  addOutboxMetrics(metrics, services.homeserver.parts.outbox)
  metrics.observedGauge(
    { name: 'holdfast_incomplete_rooms', help: 'Rooms that people are in whose state is still on its way.' },
    () => services.homeserver.parts.incompleteRooms.all().length,
  )
  const state = { stopping: false }
  const operations: OperationsDeps = {
    metrics,
    trustedProxies: config.trustedProxies,
    metricsAllow: config.metricsAllow,
    ready: async () => !state.stopping && (await ownServerName(services.db)) !== undefined,
  }
  const secret = random.text(CONTROL_SECRET_CHARACTERS)
  // The port is known only once the servers listen, and nobody asks before.
  const ownUrl = (): string => localUrl(servers.all[0]!.addresses[0]!)
  const firstRun = openFirstRunPage(ports, services, () => config.publicUrl ?? ownUrl())
  const main = dispatcher({
    homeserver: services.homeserver,
    firstRun,
    control: { secret: new Secret(secret), actions: controlActions(services) },
    operations: config.metricsListen === undefined ? operations : undefined,
  })
  await services.homeserver.start()
  const servers = await startHttpServers(ports, metrics, {
    main,
    operations: operationsOnly({ ...operations, metricsAllow: undefined }),
  })
  opening.defer(() => servers.close(0))
  opening.use(await writeControlFile(config.data, { url: ownUrl(), secret, random }))
  const firstRunLink = await firstRun.link()
  const resources = opening.move()
  return {
    urls: servers.all.flatMap((server) => server.urls),
    firstRunLink,
    services,
    reload: () => servers.reload(),
    stop: async (deadlineMs) => {
      state.stopping = true
      await servers.close(deadlineMs)
      await resources.disposeAsync()
    },
  }
}

function openFirstRunPage({ config, random }: HoldfastPorts, services: Services, baseUrl: () => string): FirstRun {
  return openFirstRun({
    serverName: config.serverName,
    baseUrl,
    tokens: openLinkTokens(config.data, random),
    hasAdmin: async () => (await anyAdmin(services.db)) !== undefined,
    createAdmin: (user) => createUser(services.homeserver.parts, { ...user, isAdmin: true }),
  })
}

function controlActions({ homeserver }: Services): ControlActions {
  return {
    createUser: (user) => createUser(homeserver.parts, user),
    createRegistrationToken: (token) => createRegistrationToken(homeserver.parts, token),
    rotateSigningKey: async () => (await homeserver.parts.signingKeys.rotate()).keyId,
    explain: (question) => explain(homeserver.parts, question),
  }
}
