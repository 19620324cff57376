/** Requests to services that live in this process take no detour over the network (docs/ARCHITECTURE.md 2). */
import type { Clock } from '../clock/clock.ts'
import { buildRequest } from './build-request.ts'
import {
  type HttpClient,
  OutgoingFailed,
  type OutgoingRequest,
  type OutgoingResponse,
  outgoingTarget,
} from './client.ts'
import type { HttpResponse, Service } from './service.ts'

/** @param origins services by origin, such as `https://id.example.org` */
export function withInProcess(
  client: HttpClient,
  origins: ReadonlyMap<string, Pick<Service, 'handle'>>,
  { clock, requestIdPrefix }: { readonly clock: Clock; readonly requestIdPrefix: string },
): HttpClient {
  let requests = 0
  return {
    send: async (request) => {
      const target = outgoingTarget(request.url)
      const service = origins.get(target.origin)
      if (service === undefined) return client.send(request)
      const id = `${requestIdPrefix}-${(requests += 1).toString(36)}`
      return dispatch(service, { id, target: target.path }, request, clock)
    },
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  }
}

async function dispatch(
  service: Pick<Service, 'handle'>,
  { id, target }: { readonly id: string; readonly target: string },
  request: OutgoingRequest,
  clock: Clock,
): Promise<OutgoingResponse> {
  const controller = new AbortController()
  const late = Promise.withResolvers<never>()
  const fail = (failure: OutgoingFailed) => {
    controller.abort(failure)
    late.reject(failure)
  }
  const onAbort = () => fail(new OutgoingFailed('aborted', 'the request was given up'))
  if (request.signal?.aborted === true) onAbort()
  request.signal?.addEventListener('abort', onAbort, { once: true })
  const deadline = clock.after(request.deadlineMs, () => {
    fail(new OutgoingFailed('timeout', `no complete response within ${request.deadlineMs} ms`))
  })
  const { method, headers = {}, body = '' } = request
  try {
    const incoming = buildRequest({ id, method, target, headers, body, signal: controller.signal })
    return received(await Promise.race([service.handle(incoming), late.promise]), request.responseBytesMax)
  } catch (error) {
    if (error instanceof OutgoingFailed) throw error
    throw new OutgoingFailed('bad-response', 'the service in this process failed', { cause: error })
  } finally {
    deadline[Symbol.dispose]()
    request.signal?.removeEventListener('abort', onAbort)
  }
}

function received(response: HttpResponse, bytesMax: number): OutgoingResponse {
  const body =
    typeof response.body === 'string' ? Buffer.from(response.body, 'utf8') : (response.body ?? new Uint8Array(0))
  if (body.length > bytesMax) throw new OutgoingFailed('too-large', `the response is larger than ${bytesMax} bytes`)
  const typed = response.body === undefined ? {} : { 'content-type': 'application/json' }
  const given = Object.entries(response.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value] as const)
  return { status: response.status, headers: { ...typed, ...Object.fromEntries(given) }, body }
}
