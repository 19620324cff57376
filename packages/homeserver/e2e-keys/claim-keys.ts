/** POST /keys/claim from within: each one-time key is given out once, ever. <https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3keysclaim> */
import { matrixError } from '@holdfast/protocol/errors'
import type { ServerName, UserId } from '@holdfast/protocol/ids/brand'
import { serverNameOf } from '@holdfast/protocol/ids/common'
import { emptyObject, type JsonObject, type MutableJsonObject } from '@holdfast/protocol/json/value'
import type { Homeserver } from '../homeserver.ts'
import * as storage from '../storage/one-time-keys.ts'
import { devicesOfUsers } from '../storage/to-device.ts'
import { keyName } from './check-one-time-keys.ts'
import { E2E_LIMITS } from './limits.ts'
import { storedJson } from './stored-json.ts'
import { claimRemoteKeys } from './remote-claim.ts'
import type { KeyClaim } from './remote-keys.ts'

type ClaimDeps = Pick<Homeserver, 'db' | 'dictionary' | 'serverName' | 'e2eKeys' | 'clock' | 'log'>

/** By user: device id to name of the key to the key. */
export type ClaimedKeys = ReadonlyMap<UserId, JsonObject>

/** Keys of users of any server, and the servers that could not be asked. */
export async function claimKeys(
  deps: ClaimDeps,
  claim: KeyClaim,
  { timeoutMs }: { readonly timeoutMs: number },
): Promise<{ readonly keys: ClaimedKeys; readonly failures: ReadonlyMap<ServerName, JsonObject> }> {
  requireBounded(claim)
  const byServer = new Map<ServerName, Map<UserId, ReadonlyMap<string, string>>>()
  for (const [userId, devices] of claim) {
    const server = serverNameOf(userId)
    const users = byServer.get(server) ?? new Map<UserId, ReadonlyMap<string, string>>()
    byServer.set(server, users.set(userId, devices))
  }
  const local = byServer.get(deps.serverName)
  byServer.delete(deps.serverName)
  const remote = claimRemoteKeys(deps, byServer, { timeoutMs })
  const keys: ClaimedKeys = local === undefined ? new Map() : await claimLocalKeys(deps, local)
  const { keys: remoteKeys, failures } = await remote
  return { keys: new Map([...keys, ...remoteKeys]), failures }
}

/** @throws {MatrixError} M_INVALID_PARAM */
export function requireBounded(claim: KeyClaim): void {
  let devices = 0
  for (const byDevice of claim.values()) devices += byDevice.size
  if (devices <= E2E_LIMITS.claimedDevicesMax) return
  throw matrixError('M_INVALID_PARAM', `At most ${E2E_LIMITS.claimedDevicesMax} devices can be named at once.`)
}

type Wanted = {
  readonly userId: UserId
  readonly deviceId: string
  readonly deviceNid: number
  readonly algorithm: string
}
type Found = Wanted & { readonly keyId: string; readonly text: string }

/** Keys of users of this server; others are passed over. Also what other servers ask for. */
export async function claimLocalKeys(
  deps: Pick<Homeserver, 'db' | 'dictionary' | 'serverName' | 'e2eKeys'>,
  claim: KeyClaim,
): Promise<ClaimedKeys> {
  const wanted = await wantedKeys(deps, claim)
  if (wanted.length === 0) return new Map()
  const { results } = await deps.db.commit(wanted.map((one) => storage.claimOneTimeKey(one)))
  const found: Found[] = []
  const missing: Wanted[] = []
  for (const [index, one] of wanted.entries()) {
    const row = results[index]!.rows[0] as storage.ClaimedKeyRow | undefined
    if (row === undefined) missing.push(one)
    else found.push({ ...one, keyId: row.key_id, text: row.one_time_key })
  }
  found.push(...(await takeFallbackKeys(deps, missing)))
  deps.e2eKeys.counts.forget(found.map(({ deviceNid }) => deviceNid))
  return shown(found)
}

async function wantedKeys(
  deps: Pick<Homeserver, 'db' | 'dictionary' | 'serverName'>,
  claim: KeyClaim,
): Promise<readonly Wanted[]> {
  const users = new Map<number, UserId>()
  for (const userId of claim.keys()) {
    if (serverNameOf(userId) !== deps.serverName) continue
    const userNid = await deps.dictionary.userNid(userId)
    if (userNid !== undefined) users.set(userNid, userId)
  }
  const devices = await devicesOfUsers(deps.db, [...users.keys()])
  return devices.flatMap((row) => {
    const userId = users.get(row.user_nid)!
    const algorithm = claim.get(userId)!.get(row.device_id)
    // Others than these are in no name of a key.
    if (algorithm === undefined || !/^[\x21-\x7e]+$/.test(algorithm)) return []
    return [{ userId, deviceId: row.device_id, deviceNid: row.device_nid, algorithm }]
  })
}

/** A fallback key is known to be used before anybody has it. */
async function takeFallbackKeys(deps: Pick<Homeserver, 'db'>, wanted: readonly Wanted[]): Promise<readonly Found[]> {
  if (wanted.length === 0) return []
  const rows = await storage.fallbackKeys(
    deps.db,
    wanted.map(({ deviceNid }) => deviceNid),
  )
  const byName = new Map(rows.map((row) => [`${row.device_nid} ${row.algorithm}`, row]))
  const found = wanted.flatMap((one) => {
    const row = byName.get(`${one.deviceNid} ${one.algorithm}`)
    return row === undefined ? [] : [{ ...one, keyId: row.key_id, text: row.fallback_key, isUsed: row.is_used === 1 }]
  })
  const unused = found.filter(({ isUsed }) => !isUsed)
  if (unused.length > 0) await deps.db.commit(unused.map((one) => storage.useFallbackKey(one)))
  return found
}

function shown(found: readonly Found[]): ClaimedKeys {
  const users = new Map<UserId, MutableJsonObject>()
  for (const one of found) {
    const devices = users.get(one.userId) ?? emptyObject()
    users.set(one.userId, devices)
    const key = emptyObject()
    key[keyName(one)] = storedJson(one.text)
    devices[one.deviceId] = key
  }
  return users
}
