/** An API as a service: finds the endpoint of a request, and turns refusals into error responses. */
import type { Operation, RawParams } from '@holdfast/api/operation'
import { createRouter, type Match, type NotAllowed } from '@holdfast/api/router'
import { DatabaseUnavailable } from '@holdfast/platform/database/database'
import type { HttpRequest, HttpResponse } from '@holdfast/platform/http/service'
import type { Log } from '@holdfast/platform/log/log'
import { matrixError, MatrixError } from '@holdfast/protocol/errors'
import { errorResponse } from './reply.ts'

/** An operation with its handler. `Deps` is what the handlers of a service are given. */
export type EndpointOf<Deps> = Operation & {
  answer(deps: Deps, request: HttpRequest, rawParams: RawParams): Promise<HttpResponse>
}

export type ApiService = {
  /** Says in `meta` which operation it was, who asked, and with which error it was refused. */
  readonly handle: (request: HttpRequest) => Promise<HttpResponse>
}

type ApiDeps = { readonly log: Log }

export function openApi<Deps extends ApiDeps>(deps: Deps, endpoints: readonly EndpointOf<Deps>[]): ApiService {
  const router = createRouter(endpoints)
  return {
    handle: async (request) => {
      const match = router.match(request.method, request.path)
      if (match?.kind !== 'match') return errorResponse(noEndpoint(match))
      const response = await answerOrRefuse(deps, request, match)
      return { ...response, meta: { ...response.meta, operation: match.operation.id } }
    },
  }
}

function noEndpoint(match: NotAllowed | undefined): MatrixError {
  if (match === undefined) return matrixError('M_UNRECOGNIZED', 'There is no such endpoint here.')
  return matrixError('M_UNRECOGNIZED', `This endpoint answers ${match.allowed.join(', ')} only.`, { status: 405 })
}

async function answerOrRefuse<Deps extends ApiDeps>(
  deps: Deps,
  request: HttpRequest,
  match: Match<EndpointOf<Deps>>,
): Promise<HttpResponse> {
  try {
    return await match.operation.answer(deps, request, match.rawParams)
  } catch (error) {
    if (error instanceof MatrixError) return errorResponse(error)
    if (!(error instanceof DatabaseUnavailable)) throw error
    deps.log.error({ request: request.id, error: error.message }, 'storage is not available')
    return errorResponse(
      matrixError('M_UNKNOWN', 'The server cannot store or read data right now. Try again later.', { status: 503 }),
    )
  }
}
