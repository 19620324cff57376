/** The Client-Server API as a service: finds the endpoint of a request, and turns refusals into error responses. */
import { createRouter } from '@holdfast/api/router'
import { DatabaseUnavailable } from '@holdfast/platform/database/database'
import type { HttpRequest, HttpResponse } from '@holdfast/platform/http/service'
import { matrixError, MatrixError } from '@holdfast/protocol/errors'
import type { Homeserver } from '../homeserver.ts'
import { errorResponse } from './reply.ts'
import type { Endpoint } from './route.ts'

/** Answers the request; undefined if no endpoint of ours has this path. */
export type ClientServerApi = {
  handle(request: HttpRequest): Promise<HttpResponse>
  /** The operation that a request is for, as a metrics label; undefined if there is none. */
  operationOf(request: Pick<HttpRequest, 'method' | 'path'>): string | undefined
}

export function openClientServerApi(deps: Homeserver, endpoints: readonly Endpoint[]): ClientServerApi {
  const router = createRouter(endpoints)

  async function answer(request: HttpRequest): Promise<HttpResponse> {
    const match = router.match(request.method, request.path)
    if (match === undefined) throw matrixError('M_UNRECOGNIZED', 'There is no such endpoint here.')
    if (match.kind === 'method-not-allowed') {
      throw matrixError('M_UNRECOGNIZED', `This endpoint answers ${match.allowed.join(', ')} only.`, { status: 405 })
    }
    return match.operation.answer(deps, request, match.rawParams)
  }

  return {
    handle: async (request) => {
      try {
        return await answer(request)
      } catch (error) {
        if (error instanceof MatrixError) return errorResponse(error)
        if (error instanceof DatabaseUnavailable) {
          deps.log.error({ request: request.id, error: error.message }, 'storage is not available')
          return errorResponse(
            matrixError('M_UNKNOWN', 'The server cannot store or read data right now. Try again later.', {
              status: 503,
            }),
          )
        }
        throw error
      }
    },
    operationOf: (request) => {
      const match = router.match(request.method, request.path)
      return match?.kind === 'match' ? match.operation.id : undefined
    },
  }
}
