/** Where a request carries its access token. <https://spec.matrix.org/v1.19/client-server-api/#using-access-tokens> */
import { decodeQuery } from '@holdfast/api/query'
import type { HttpRequest } from '@holdfast/platform/http/service'
import { matrixError } from '@holdfast/protocol/errors'

type Carrier = Pick<HttpRequest, 'headers' | 'query'>

const USUAL = /^Bearer ([^ ]+)$/
const BEARER = /^bearer(?: +(.*))?$/i

/**
 * The access token of the request; undefined if it carries none.
 * @throws M_MISSING_TOKEN if it carries an empty one, more than one, or another scheme of authorization
 */
export function accessTokenOf(request: Carrier): string | undefined {
  const usual = usualToken(request)
  if (usual !== undefined) return usual
  const tokens = new Set([...headerTokens(request), ...queryTokens(request)])
  if (tokens.size === 0) return undefined
  if (tokens.size > 1) throw matrixError('M_MISSING_TOKEN', 'The request carries more than one access token.')
  const [token = ''] = tokens
  if (token === '') throw matrixError('M_MISSING_TOKEN', 'The access token of the request is empty.')
  return token
}

/** What nearly all requests carry, without the care for the others. */
function usualToken({ headers, query }: Carrier): string | undefined {
  if (query.includes('access_token')) return undefined
  return USUAL.exec(headers['authorization'] ?? '')?.[1]
}

function headerTokens({ headers }: Carrier): readonly string[] {
  const header = headers['authorization']
  if (header === undefined) return []
  const bearer = BEARER.exec(header.trim())
  if (bearer === null)
    throw matrixError('M_MISSING_TOKEN', 'The Authorization header must be `Bearer` and an access token.')
  return [(bearer[1] ?? '').trim()]
}

function queryTokens({ query }: Carrier): readonly string[] {
  if (!query.includes('access_token')) return []
  return decodeQuery(query)
    .filter(([name]) => name === 'access_token')
    .map(([, value]) => value)
}
