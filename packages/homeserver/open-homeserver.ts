/** Puts a homeserver together, starts it, and ends it. */
import type { Service } from '@holdfast/platform/http/service'
import { resumeAccounts } from './accounts/resume-accounts.ts'
import { ENDPOINTS as CLIENT_SERVER_ENDPOINTS } from './client-server/endpoints.ts'
import { withUnstablePaths } from './client-server/unstable-paths.ts'
import { keepForgetting } from './federation/edus/forget-received.ts'
import type { Homeserver } from './homeserver.ts'
import { openApi } from '@holdfast/service/http/api-service'
import { resumeFilling } from './rooms/incomplete/resume-filling.ts'
import { ENDPOINTS as SERVER_SERVER_ENDPOINTS } from './server-server/endpoints.ts'
import { checkServerName } from './server-identity.ts'
import { keepSweeping } from './transactions/sweep.ts'
import { openParts, type HomeserverPorts } from './open-parts.ts'

export type { HomeserverPorts } from './open-parts.ts'

/** Where the schema of the homeserver is. */
export const MIGRATIONS_FOLDER = new URL('./storage/migrations', import.meta.url).pathname

export type RunningHomeserver = Service & {
  readonly parts: Homeserver
}

/** @throws if the data folder belongs to a server of another name */
export async function openHomeserver(ports: HomeserverPorts): Promise<RunningHomeserver> {
  await checkServerName(ports.db, ports.serverName)
  const { parts, timed } = await openParts(ports)
  const api = openApi(parts, [...CLIENT_SERVER_ENDPOINTS.map(withUnstablePaths), ...SERVER_SERVER_ENDPOINTS])
  const stopping = new AbortController()
  return {
    parts,
    handle: api.handle,
    start: async () => {
      await parts.typing.resume()
      parts.remotePresence.resume(await parts.presence.resume())
      void keepSweeping(parts, stopping.signal)
      void keepForgetting(parts, stopping.signal)
      if (ports.http !== undefined) await parts.outbox.start()
      await resumeFilling(parts)
      // In the background: what a crash cut off can take longer than clients should wait.
      resumeAccounts(parts).catch((error: Error) => parts.log.error({ error: error.message }, 'cannot resume accounts'))
    },
    [Symbol.asyncDispose]: async () => {
      stopping.abort()
      await parts.incompleteRooms[Symbol.asyncDispose]()
      await parts.outbox[Symbol.asyncDispose]()
      for (const one of timed) one[Symbol.dispose]()
    },
  }
}
