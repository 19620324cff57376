/** `/health` and `/metrics`, for who operates the server. */
import type { AddressRanges } from '@holdfast/platform/http/address-ranges'
import type { HttpRequest, HttpResponse } from '@holdfast/platform/http/service'
import type { Metrics } from '@holdfast/platform/metrics/metrics'

export type OperationsDeps = {
  readonly metrics: Metrics
  /** Resolves when a request could be served now. */
  readonly ready: () => Promise<boolean>
  /** Undefined: everybody, because the port is theirs alone. */
  readonly metricsAllow: AddressRanges | undefined
  readonly trustedProxies: AddressRanges
}

const FORBIDDEN = {
  errcode: 'M_FORBIDDEN',
  error: 'Metrics are for the addresses in metrics_allow; metrics_listen gives them a port of their own.',
}

/** Undefined when the path is none of ours. */
export async function operationsResponse(
  deps: OperationsDeps,
  request: HttpRequest,
): Promise<HttpResponse | undefined> {
  if (request.path !== '/health' && request.path !== '/metrics') return undefined
  if (request.method !== 'GET') {
    return json(405, 'operations', { errcode: 'M_UNRECOGNIZED', error: 'This endpoint answers GET only.' })
  }
  if (request.path === '/health') {
    // A database that cannot be read is the very answer, not a failure of this request.
    const ready = await deps.ready().catch(() => false)
    return json(ready ? 200 : 503, 'health', { status: ready ? 'ok' : 'not ready' })
  }
  if (!mayReadMetrics(deps, request)) return json(403, 'metrics', FORBIDDEN)
  const { contentType, body } = await deps.metrics.exposition()
  return { status: 200, headers: { 'content-type': contentType }, body, meta: { operation: 'metrics' } }
}

/** A proxy on this machine that nobody named as trusted makes strangers look local, but it leaves its mark. */
function mayReadMetrics({ metricsAllow, trustedProxies }: OperationsDeps, request: HttpRequest): boolean {
  if (metricsAllow === undefined) return true
  const proxied = request.headers['x-forwarded-for'] !== undefined || request.headers['forwarded'] !== undefined
  if (proxied && trustedProxies.ranges.length === 0) return false
  return metricsAllow.contains(request.remoteAddress)
}

function json(status: number, operation: string, body: object): HttpResponse {
  return { status, headers: { 'cache-control': 'no-store' }, body: JSON.stringify(body), meta: { operation } }
}
