/** Asks other servers for keys of their users. <https://spec.matrix.org/v1.19/server-server-api/#end-to-end-encryption> */
import type { Clock } from '@holdfast/platform/clock/clock'
import type { ServerName } from '@holdfast/protocol/ids/brand'
import { emptyObject, type JsonObject, type JsonValue } from '@holdfast/protocol/json/value'
import type { RemoteKeys } from '../../e2e-keys/remote-keys.ts'
import { ask, part } from '../remote-rooms/ask.ts'
import type { FederationClient } from '../transport/federation-client.ts'
import { openSlots } from './slots.ts'

/** Also of requests that other servers cause by what they say of their users' devices. */
const AT_ONCE_MAX = 5
const WAITING_MAX = 1_000
const ANSWER_BYTES_MAX = 10_485_760
/** The devices of one user. */
const DEVICES_BYTES_MAX = 2_097_152

export function remoteKeysOver(client: FederationClient, clock: Pick<Clock, 'monotonicMs' | 'after'>): RemoteKeys {
  const slots = openSlots(clock, { atOnceMax: AT_ONCE_MAX, waitingMax: WAITING_MAX })
  const send = (
    server: ServerName,
    timeoutMs: number,
    request: Omit<Parameters<typeof ask>[1], 'responseBytesMax'>,
    responseBytesMax = ANSWER_BYTES_MAX,
  ): Promise<JsonObject> =>
    slots.run(server, timeoutMs, (deadlineMs) => ask({ client, server, deadlineMs }, { ...request, responseBytesMax }))
  return {
    query: (server, users, { timeoutMs }) =>
      send(server, timeoutMs, {
        method: 'POST',
        path: '/_matrix/federation/v1/user/keys/query',
        body: { device_keys: objectOf(users, ([userId, devices]) => [userId, devices]) },
      }),
    claim: (server, users, { timeoutMs }) =>
      send(server, timeoutMs, {
        method: 'POST',
        path: '/_matrix/federation/v1/user/keys/claim',
        body: { one_time_keys: objectOf(users, ([userId, devices]) => [userId, objectOf(devices, (entry) => entry)]) },
      }),
    devices: (server, userId, { timeoutMs }) => {
      const path = `/_matrix/federation/v1/user/devices/${part(userId)}`
      return send(server, timeoutMs, { method: 'GET', path }, DEVICES_BYTES_MAX)
    },
  }
}

/** Names that users chose may be any word. */
function objectOf<Key extends string, Value>(
  map: ReadonlyMap<Key, Value>,
  entry: (entry: readonly [Key, Value]) => readonly [string, JsonValue],
): JsonObject {
  const object = emptyObject()
  for (const one of map) {
    const [key, value] = entry(one)
    object[key] = value
  }
  return object
}
