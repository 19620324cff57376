/** Asks one server after the other until one helps. */
import { matrixError, MatrixError } from '@holdfast/protocol/errors'
import type { ServerName } from '@holdfast/protocol/ids/brand'
import { BadAnswer } from '../../federation/remote-rooms/ask.ts'
import { FederationFailed } from '../../federation/transport/federation-failed.ts'

/** Errors of other servers that say something about the user's request, and not about them. */
const TELLING = new Set([
  'M_FORBIDDEN',
  'M_NOT_FOUND',
  'M_INCOMPATIBLE_ROOM_VERSION',
  'M_UNSUPPORTED_ROOM_VERSION',
  'M_BAD_STATE',
])

/** @throws {MatrixError} what the most telling of the servers said */
export async function tryServers<T>(
  servers: readonly ServerName[],
  attempt: (server: ServerName) => Promise<T>,
): Promise<T> {
  const failures: Error[] = []
  for (const server of servers) {
    try {
      return await attempt(server)
    } catch (error) {
      if (!(error instanceof FederationFailed) && !(error instanceof BadAnswer) && !(error instanceof MatrixError))
        throw error
      failures.push(error)
    }
  }
  throw asMatrixError(failures)
}

function asMatrixError(failures: readonly Error[]): MatrixError {
  const own = failures.find((failure) => failure instanceof MatrixError)
  if (own !== undefined) return own
  for (const failure of failures) {
    if (!(failure instanceof FederationFailed) || failure.errcode === undefined || !TELLING.has(failure.errcode))
      continue
    return told(failure)
  }
  if (failures.length === 0)
    return matrixError('M_NOT_FOUND', 'No room with this id is known here, and no server that may know it.')
  const [last] = failures.slice(-1)
  return matrixError('M_UNKNOWN', `No server in the room could help: ${last!.message}`, { status: 502 })
}

function told({ errcode, message, body }: FederationFailed): MatrixError {
  const text = `Another server refused: ${message}`
  if (errcode === 'M_INCOMPATIBLE_ROOM_VERSION' || errcode === 'M_UNSUPPORTED_ROOM_VERSION') {
    // Clients say by it which version the room has. <https://spec.matrix.org/v1.19/client-server-api/#other-error-codes>
    const version = body?.['room_version']
    const extra = typeof version === 'string' ? { room_version: version } : {}
    return matrixError('M_INCOMPATIBLE_ROOM_VERSION', text, { extra })
  }
  return matrixError(errcode === 'M_NOT_FOUND' ? 'M_NOT_FOUND' : 'M_FORBIDDEN', text)
}
