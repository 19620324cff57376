/** One-time keys of users of other servers: their servers give them out. */
import type { ServerName, UserId } from '@holdfast/protocol/ids/brand'
import { emptyObject, type JsonObject } from '@holdfast/protocol/json/value'
import type { Homeserver } from '../homeserver.ts'
import { checkRemoteKey } from './check-remote-keys.ts'
import type { KeyClaim } from './remote-keys.ts'
import { failure } from './remote-query.ts'
import { objectIn } from './shown-keys.ts'

export async function claimRemoteKeys(
  deps: Pick<Homeserver, 'e2eKeys' | 'log'>,
  servers: ReadonlyMap<ServerName, KeyClaim>,
  options: { readonly timeoutMs: number },
): Promise<{
  readonly keys: ReadonlyMap<UserId, JsonObject>
  readonly failures: ReadonlyMap<ServerName, JsonObject>
}> {
  const keys = new Map<UserId, JsonObject>()
  const failures = new Map<ServerName, JsonObject>()
  const { remote } = deps.e2eKeys
  await Promise.all(
    [...servers].map(async ([server, claim]) => {
      try {
        if (remote === undefined) throw new Error('there is no federation')
        const said = objectIn(await remote.claim(server, claim, options), 'one_time_keys')
        for (const [userId, devices] of claim) {
          const given = believed(devices, objectIn(said, userId))
          if (Object.keys(given).length > 0) keys.set(userId, given)
        }
      } catch (error) {
        deps.log.info({ server, error: (error as Error).message }, 'cannot claim keys of another server')
        failures.set(server, failure())
      }
    }),
  )
  return { keys, failures }
}

/** One key for each device that was asked for, of the algorithm that was asked for. */
function believed(wanted: ReadonlyMap<string, string>, said: JsonObject): JsonObject {
  const given = emptyObject()
  for (const [deviceId, algorithm] of wanted) {
    const entry = Object.entries(objectIn(said, deviceId)).find(([name, key]) => checkRemoteKey(name, key, algorithm))
    if (entry === undefined) continue
    const named = emptyObject()
    named[entry[0]] = entry[1]
    given[deviceId] = named
  }
  return given
}
