/** Finds the server of a name. <https://spec.matrix.org/v1.19/server-server-api/#resolving-server-names> */
import type { Clock } from '@holdfast/platform/clock/clock'
import type { Resolver } from '@holdfast/platform/dns/resolver'
import { type HttpClient, OutgoingFailed } from '@holdfast/platform/http/client'
import type { Random } from '@holdfast/platform/random/random'
import type { ServerName } from '@holdfast/protocol/ids/brand'
import { serverAddress } from '@holdfast/protocol/ids/server-name'
import { FEDERATION_PORT, fixedRoute, needsDiscovery } from './fixed-route.ts'
import type { Route } from './route.ts'
import { lookupService } from './services.ts'
import { openWellKnownCache } from './well-known-cache.ts'
import { fetchWellKnown } from './well-known.ts'

export type Discovery = {
  /**
   * Answers from memory where it can; calls for one name that come together are one.
   * @throws {OutgoingFailed} the name leads nowhere
   */
  resolveServer(serverName: ServerName): Promise<Route>
  /** Nothing could be reached where this name led: asks again sooner than the answers would expire. */
  doubt(serverName: ServerName): void
}

export type DiscoveryDeps = {
  readonly http: HttpClient
  readonly resolver: Resolver
  readonly clock: Clock
  readonly random: Random
}

export function openDiscovery(deps: DiscoveryDeps): Discovery {
  const wellKnown = openWellKnownCache({ ...deps, fetch: (host) => fetchWellKnown(deps, host) })
  const flights = new Map<ServerName, Promise<Route>>()

  async function discover(serverName: ServerName): Promise<Route> {
    const { host } = serverAddress(serverName)
    const delegatedTo = await wellKnown.delegatedTo(host)
    if (delegatedTo === undefined) return routeByService(deps, serverName)
    const route = fixedRoute(delegatedTo) ?? (await routeByService(deps, delegatedTo))
    return { ...route, delegatedTo }
  }

  return {
    resolveServer: async (serverName) => {
      const fixed = fixedRoute(serverName)
      if (fixed !== undefined) return fixed
      if (!needsDiscovery(serverName)) throw leadsNowhere(`${serverName} is no name that a server can have`)
      let flight = flights.get(serverName)
      if (flight === undefined) {
        flight = discover(serverName).finally(() => flights.delete(serverName))
        flights.set(serverName, flight)
      }
      return flight
    },
    doubt: (serverName) => {
      if (needsDiscovery(serverName)) wellKnown.doubt(serverAddress(serverName).host)
    },
  }
}

/** The second is deprecated, and asked for only if the first does not exist. */
const SERVICES = [
  { service: '_matrix-fed._tcp', via: 'srv' },
  { service: '_matrix._tcp', via: 'deprecated-srv' },
] as const

/** For a DNS name without a port. The certificate is that of the name, wherever the records point. */
async function routeByService(deps: DiscoveryDeps, serverName: ServerName): Promise<Route> {
  const { host } = serverAddress(serverName)
  const names = { hostHeader: serverName, tlsName: host }
  for (const { service, via } of SERVICES) {
    const found = await lookupService(deps, `${service}.${host}`)
    if (found.kind === 'refused') throw leadsNowhere(`the DNS says that ${host} has no Matrix server`)
    if (found.kind === 'targets') return { ...names, connectTo: found.targets, via }
  }
  return { ...names, connectTo: [{ host, port: FEDERATION_PORT }], via: 'default' }
}

function leadsNowhere(message: string): OutgoingFailed {
  return new OutgoingFailed('unreachable', message, { maybeSent: false })
}
