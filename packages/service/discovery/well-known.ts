/** Asks a host which server speaks for it. <https://spec.matrix.org/v1.19/server-server-api/#getwell-knownmatrixserver> */
import type { Clock } from '@holdfast/platform/clock/clock'
import { type HttpClient, OutgoingFailed, type OutgoingResponse } from '@holdfast/platform/http/client'
import type { ServerName } from '@holdfast/protocol/ids/brand'
import { parseServerName } from '@holdfast/protocol/ids/server-name'
import { parseJson } from '@holdfast/protocol/json/parse'
import { isObject } from '@holdfast/protocol/json/value'
import { cacheLifetimeMs } from './cache-lifetime.ts'
import { fixedRoute, needsDiscovery } from './fixed-route.ts'

export const WELL_KNOWN_LIMITS = { bytesMax: 51_200, redirectsMax: 5, deadlineMs: 10_000 } as const

export type WellKnown =
  | { readonly kind: 'delegated'; readonly to: ServerName; readonly lifetimeMs: number | undefined }
  /** The host says nothing of use. */
  | { readonly kind: 'absent'; readonly reason: string }
  /** The host could not be asked, or not now. */
  | { readonly kind: 'failed'; readonly reason: string }

export async function fetchWellKnown(
  { http, clock }: { readonly http: HttpClient; readonly clock: Clock },
  host: string,
): Promise<WellKnown> {
  const endMs = clock.monotonicMs() + WELL_KNOWN_LIMITS.deadlineMs
  let url = `https://${host}/.well-known/matrix/server`
  try {
    for (let redirects = 0; redirects <= WELL_KNOWN_LIMITS.redirectsMax; redirects += 1) {
      const deadlineMs = endMs - clock.monotonicMs()
      if (deadlineMs <= 0) return { kind: 'failed', reason: 'redirected until the time was over' }
      const response = await http.send({ method: 'GET', url, deadlineMs, responseBytesMax: WELL_KNOWN_LIMITS.bytesMax })
      if (!isRedirect(response.status)) return readWellKnown(response, clock.nowMs())
      const next = redirectTarget(url, response.headers['location'])
      if (next === undefined) return { kind: 'absent', reason: 'redirected to what is no https URL' }
      url = next
    }
  } catch (error) {
    if (!(error instanceof OutgoingFailed)) throw error
    const kind = TRANSIENT.has(error.failure) ? 'failed' : 'absent'
    return { kind, reason: `${error.failure}: ${error.message}` }
  }
  return { kind: 'absent', reason: `redirected more than ${WELL_KNOWN_LIMITS.redirectsMax} times` }
}

const TRANSIENT: ReadonlySet<string> = new Set(['unreachable', 'timeout', 'certificate', 'aborted'])

function isRedirect(status: number): boolean {
  return status === 301 || status === 302 || status === 303 || status === 307 || status === 308
}

function redirectTarget(from: string, location: string | undefined): string | undefined {
  if (location === undefined || !URL.canParse(location, from)) return undefined
  const { protocol, username, password, host, pathname, search } = new URL(location, from)
  // The certificate of the first host is worth nothing if an unproven one may speak for it.
  if (protocol !== 'https:' || username !== '' || password !== '') return undefined
  return `https://${host}${pathname}${search}`
}

function readWellKnown({ status, headers, body }: OutgoingResponse, nowMs: number): WellKnown {
  if (status >= 500 || status === 429) return { kind: 'failed', reason: `answered ${status}` }
  if (status !== 200) return { kind: 'absent', reason: `answered ${status}` }
  // JSON "regardless of type", as the specification has it.
  const parsed = parseJson(body)
  const named = parsed.ok && isObject(parsed.value) ? parsed.value['m.server'] : undefined
  const to = typeof named === 'string' ? parseServerName(named) : undefined
  if (to === undefined) return { kind: 'absent', reason: 'names no server' }
  if (!needsDiscovery(to) && fixedRoute(to) === undefined) return { kind: 'absent', reason: 'names no possible server' }
  return { kind: 'delegated', to, lifetimeMs: cacheLifetimeMs(headers, nowMs) }
}
