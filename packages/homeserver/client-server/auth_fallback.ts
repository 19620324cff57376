/** GET and POST /auth/{authType}/fallback/web <https://spec.matrix.org/v1.19/client-server-api/#fallback> */
import { operation, type NoQuery, type Operation, type RawParams } from '@holdfast/api/operation'
import { decodeQuery } from '@holdfast/api/query'
import { bytes, text } from '@holdfast/api/shape'
import type { HttpRequest, HttpResponse } from '@holdfast/platform/http/service'
import { MatrixError } from '@holdfast/protocol/errors'
import type { Homeserver } from '../homeserver.ts'
import { completeOnPage, type PageOutcome } from '../user-interactive-auth/complete-on-page.ts'
import { donePage, refusedPage, stagePage } from '../user-interactive-auth/fallback-pages.ts'
import { pageResponse } from '@holdfast/service/web-pages/page'
import type { Endpoint } from '../http/endpoint.ts'

type Params = { readonly authType: string }

const DESCRIPTION = {
  stem: 'auth_fallback',
  api: 'client-server',
  paths: ['r0', 'v1', 'v3'].map((version) => `/_matrix/client/${version}/auth/{authType}/fallback/web`),
  auth: 'none',
  credential: undefined,
  guests: false,
  rateLimited: false,
  deprecated: false,
  revisions: ['2018-08', 'v1.19'],
  params: { authType: text },
  absent: {},
  query: {},
} as const

export const getFallbackPage = page(
  operation({ ...DESCRIPTION, id: 'getAuthFallback', method: 'GET', body: undefined }),
  (request) => ({ session: fieldOf(request.query, 'session'), answer: undefined }),
)

export const postFallbackPage = page(
  operation({ ...DESCRIPTION, id: 'postAuthFallback', method: 'POST', body: bytes }),
  (request) => {
    const form = Buffer.from(request.body).toString('utf8')
    const answer = { password: fieldOf(form, 'password') ?? '', token: fieldOf(form, 'token') ?? '' }
    return { session: fieldOf(form, 'session') ?? fieldOf(request.query, 'session'), answer }
  },
)

type Visit = {
  readonly session: string | undefined
  /** What the form was filled with; undefined: it is to be shown. */
  readonly answer: Readonly<Record<string, string>> | undefined
}

function page(operation: Operation<Params, NoQuery>, read: (request: HttpRequest) => Visit): Endpoint {
  return {
    ...(operation as Operation),
    answer: async (deps: Homeserver, request: HttpRequest, rawParams: RawParams): Promise<HttpResponse> => {
      try {
        const { authType } = operation.parseParams(rawParams)
        const { session = '', answer } = read(request)
        return show(
          deps,
          await completeOnPage(deps, { authType, session, answer, remoteAddress: request.remoteAddress }),
        )
      } catch (error) {
        if (error instanceof MatrixError) return pageResponse(error.status, refusedPage(error.message))
        throw error
      }
    },
  }
}

function show({ settings }: Homeserver, outcome: PageOutcome): HttpResponse {
  if (outcome.kind === 'done') return pageResponse(200, donePage())
  const { stage, session, problem } = outcome
  return pageResponse(problem === undefined ? 200 : 401, stagePage({ stage, session, terms: settings.terms, problem }))
}

/** The first value of a field in the form encoding. */
function fieldOf(encoded: string, name: string): string | undefined {
  return decodeQuery(encoded).find(([one]) => one === name)?.[1]
}
