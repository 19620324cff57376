/** Puts the way to other servers together. */
import type { Clock } from '@holdfast/platform/clock/clock'
import type { Database } from '@holdfast/platform/database/database'
import type { Resolver } from '@holdfast/platform/dns/resolver'
import type { HttpClient } from '@holdfast/platform/http/client'
import type { Log } from '@holdfast/platform/log/log'
import type { Random } from '@holdfast/platform/random/random'
import type { ServerName } from '@holdfast/protocol/ids/brand'
import type { SigningKey } from '@holdfast/protocol/signing/signing-key'
import { type Destinations, openDestinations } from './destinations.ts'
import { type Discovery, openDiscovery } from '@holdfast/service/discovery/discovery'
import { type FederationClient, openFederationClient } from './federation-client.ts'

export type FederationTransport = {
  readonly client: FederationClient
  readonly destinations: Destinations
  readonly discovery: Discovery
}

export type FederationTransportDeps = {
  readonly http: HttpClient
  readonly resolver: Resolver
  readonly clock: Clock
  readonly random: Random
  readonly db: Database
  readonly serverName: ServerName
  /** The key, or how to find the one of the moment. */
  readonly signingKey: SigningKey | (() => SigningKey)
  readonly log: Log
}

export function openFederationTransport(deps: FederationTransportDeps): FederationTransport {
  const { signingKey, log } = deps
  const destinations = openDestinations({ ...deps, log: log.named('destinations') })
  const discovery = openDiscovery(deps)
  const keyOf = typeof signingKey === 'function' ? signingKey : () => signingKey
  return {
    client: openFederationClient({ ...deps, destinations, discovery, signingKey: keyOf }),
    destinations,
    discovery,
  }
}
