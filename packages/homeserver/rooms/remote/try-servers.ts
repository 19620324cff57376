/** Asks one server after the other until one helps. */
import { MatrixError } from '@holdfast/protocol/errors'
import type { ServerName } from '@holdfast/protocol/ids/brand'
import { BadAnswer } from '../../federation/remote-rooms/ask.ts'
import { FederationFailed } from '../../federation/transport/federation-failed.ts'
import { type NoHelp, whatServersSaid } from './what-servers-said.ts'

/** @throws {MatrixError} what the most telling of the servers said */
export async function tryServers<T>(
  servers: readonly ServerName[],
  attempt: (server: ServerName) => Promise<T>,
): Promise<T> {
  const failures: NoHelp[] = []
  for (const server of servers) {
    try {
      return await attempt(server)
    } catch (error) {
      if (!(error instanceof FederationFailed) && !(error instanceof BadAnswer) && !(error instanceof MatrixError))
        throw error
      failures.push({ server, error })
    }
  }
  throw whatServersSaid(failures)
}
