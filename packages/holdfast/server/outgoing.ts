/** The way to the outside, as the configuration permits it. */
import { lookupFunction } from '@holdfast/platform/dns/lookup-function'
import type { Resolver } from '@holdfast/platform/dns/resolver'
import { createSystemResolver } from '@holdfast/platform/dns/system-resolver'
import type { HttpClient } from '@holdfast/platform/http/client'
import { createNetworkClient } from '@holdfast/platform/http/network-client'
import { readTrustedCa } from '@holdfast/platform/http/trusted-ca'
import { VERSION } from '../version.ts'
import type { HoldfastPorts } from './ports.ts'
import { StartProblem } from './start-problem.ts'

export type Outgoing = AsyncDisposable & { readonly http: HttpClient; readonly resolver: Resolver }

/** Nothing is loaded or connected before the first request. */
export async function openOutgoing({ config, clock }: Pick<HoldfastPorts, 'config' | 'clock'>): Promise<Outgoing> {
  const trustedCa = config.trustedCa === undefined ? undefined : await readAuthorities(config.trustedCa)
  const resolver = createSystemResolver(clock)
  const http = createNetworkClient({
    clock,
    allow: config.outgoingAllow,
    userAgent: `Holdfast/${VERSION}`,
    lookup: lookupFunction(resolver),
    ...(trustedCa === undefined ? {} : { trustedCa }),
  })
  return { http, resolver, [Symbol.asyncDispose]: () => http[Symbol.asyncDispose]() }
}

async function readAuthorities(file: string): Promise<string> {
  try {
    return await readTrustedCa(file)
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    throw new StartProblem('settings', `trusted_ca cannot be used: ${message}`, { cause: error })
  }
}
