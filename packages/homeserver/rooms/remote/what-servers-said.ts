/** What a user is told when other servers did not help: the most telling of their refusals, as an error of this server. */
import { type Errcode, MatrixError, matrixError } from '@holdfast/protocol/errors'
import type { ServerName } from '@holdfast/protocol/ids/brand'
import { FederationFailed } from '../../federation/transport/federation-failed.ts'

/** One server, and why it did not help. */
export type NoHelp = { readonly server: ServerName; readonly error: Error }

/**
 * Errors of other servers that say something about the user's request, the most telling first, and what they are here. All others
 * lose their code: it was said to us and not to the client, which may drop its keys when it hears that its token is unknown.
 */
const TELLING: ReadonlyMap<string, Errcode> = new Map([
  ['M_FORBIDDEN', 'M_FORBIDDEN'],
  ['M_INVITE_BLOCKED', 'M_INVITE_BLOCKED'],
  ['M_INCOMPATIBLE_ROOM_VERSION', 'M_INCOMPATIBLE_ROOM_VERSION'],
  ['M_UNSUPPORTED_ROOM_VERSION', 'M_INCOMPATIBLE_ROOM_VERSION'],
  ['M_BAD_STATE', 'M_BAD_STATE'],
  ['M_TOO_LARGE', 'M_TOO_LARGE'],
  ['M_UNABLE_TO_GRANT_JOIN', 'M_FORBIDDEN'],
  ['M_UNABLE_TO_AUTHORISE_JOIN', 'M_FORBIDDEN'],
  ['M_NOT_FOUND', 'M_NOT_FOUND'],
  ['M_LIMIT_EXCEEDED', 'M_LIMIT_EXCEEDED'],
])

const RETRY_AFTER_MS_MAX = 3_600_000

export function whatServersSaid(all: readonly NoHelp[]): MatrixError {
  if (all.length === 0) {
    return matrixError('M_NOT_FOUND', 'No room with this id is known here, and no server that may know it.')
  }
  const own = all.find(({ error }) => error instanceof MatrixError)
  if (own !== undefined) return own.error as MatrixError
  const [told] = [...TELLING].flatMap(([errcode, as]) => {
    const failure = all.find(({ error }) => error instanceof FederationFailed && error.errcode === errcode)
    return failure === undefined ? [] : [refused(failure, as)]
  })
  const [refusal] = all.flatMap((one) => statusRefusal(one) ?? [])
  return told ?? refusal ?? noAnswer(all.at(-1)!)
}

/** An answer with an error that says nothing to the user but its status. */
function statusRefusal(failure: NoHelp): MatrixError | undefined {
  const { error } = failure
  if (!(error instanceof FederationFailed) || error.status === undefined || error.status >= 500) return undefined
  switch (error.status) {
    case 401:
      // Our signature was not accepted: nothing that the user can change.
      return undefined
    case 404:
    case 405:
      return refused(failure, 'M_NOT_FOUND')
    case 429:
      return refused(failure, 'M_LIMIT_EXCEEDED')
    default:
      return refused(failure, 'M_FORBIDDEN')
  }
}

function refused({ server, error }: NoHelp, as: Errcode): MatrixError {
  return matrixError(as, `${server} ${error.message}`, { extra: extraOf(error as FederationFailed, as) })
}

function extraOf({ body, retryAfterMs }: FederationFailed, as: Errcode): Record<string, unknown> {
  if (as === 'M_LIMIT_EXCEEDED' && retryAfterMs !== undefined) {
    return { retry_after_ms: Math.min(retryAfterMs, RETRY_AFTER_MS_MAX) }
  }
  // Clients say by it which version the room has. <https://spec.matrix.org/v1.19/client-server-api/#other-error-codes>
  const version = as === 'M_INCOMPATIBLE_ROOM_VERSION' ? body?.['room_version'] : undefined
  return typeof version === 'string' ? { room_version: version } : {}
}

function noAnswer({ server, error }: NoHelp): MatrixError {
  const isLate = error instanceof FederationFailed && error.failure === 'timeout'
  if (isLate) return matrixError('M_UNKNOWN', `${server} did not answer in time. Try again later.`, { status: 504 })
  const advice =
    error instanceof FederationFailed && error.status === 401 ? 'Tell the administrators' : 'Try again later'
  const words = error.message.startsWith(server) ? error.message : `${server} ${error.message}`
  return matrixError('M_UNKNOWN', `Another server could not help: ${words}. ${advice}.`, { status: 502 })
}
