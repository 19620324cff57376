/** POST /keys/upload from within: load, decide, commit. <https://spec.matrix.org/v1.19/client-server-api/#uploading-keys> */
import { ExpectationFailed, type Statement } from '@holdfast/platform/database/database'
import { matrixError } from '@holdfast/protocol/errors'
import type { JsonObject } from '@holdfast/protocol/json/value'
import { INPUT_LIMITS } from '@holdfast/protocol/limits'
import type { Requester } from '../accounts/requester.ts'
import type { Homeserver } from '../homeserver.ts'
import { crossSigningKeys, deleteSignaturesOf } from '../storage/cross-signing-keys.ts'
import { deviceKeys, setDeviceKeys } from '../storage/device-keys.ts'
import { requireDevice } from '../storage/devices.ts'
import * as storage from '../storage/one-time-keys.ts'
import { checkDeviceKeys } from './check-device-keys.ts'
import { checkFallbackKeys, checkKeys, keyName, type UploadedKey } from './check-one-time-keys.ts'
import { announceDevices } from './device-lists.ts'
import { E2E_LIMITS } from './limits.ts'
import { storedObject } from './stored-json.ts'

type UploadDeps = Pick<Homeserver, 'db' | 'streams' | 'e2eKeys'>

export type KeyUpload = {
  readonly deviceKeys: JsonObject | undefined
  readonly oneTimeKeys: JsonObject
  readonly fallbackKeys: JsonObject
}

type CheckedUpload = {
  /** Canonical JSON. */
  readonly deviceKeys: string | undefined
  readonly oneTimeKeys: readonly UploadedKey[]
  readonly fallbackKeys: readonly UploadedKey[]
}

const ATTEMPTS_MAX = 5

/** @returns how many one-time keys the device has, by algorithm */
export async function uploadKeys(
  deps: UploadDeps,
  requester: Requester,
  upload: KeyUpload,
): Promise<Readonly<Record<string, number>>> {
  const checked: CheckedUpload = {
    deviceKeys: upload.deviceKeys === undefined ? undefined : checkDeviceKeys(requester, upload.deviceKeys),
    oneTimeKeys: checkKeys(upload.oneTimeKeys),
    fallbackKeys: checkFallbackKeys(upload.fallbackKeys),
  }
  if (checked.deviceKeys !== undefined) await requireOwnId(deps, requester)
  for (let attempt = 1; ; attempt += 1) {
    try {
      await commitUpload(deps, requester, checked)
      break
    } catch (error) {
      // The device is gone, or another upload of the same keys was faster.
      if (!(error instanceof ExpectationFailed)) throw error
      if (error.index === 0) throw matrixError('M_UNKNOWN_TOKEN', 'This device has been logged out.')
      if (attempt >= ATTEMPTS_MAX) throw error
    }
  }
  return (await deps.e2eKeys.counts.of(requester.deviceNid)).oneTimeKeys
}

/** A device is not to be taken for a cross-signing key. <https://spec.matrix.org/v1.19/client-server-api/#key-and-signature-security> */
async function requireOwnId(deps: UploadDeps, { userNid, deviceId }: Requester): Promise<void> {
  const keys = await crossSigningKeys(deps.db, [userNid])
  if (!keys.some((row) => row.public_key === deviceId)) return
  throw matrixError('M_FORBIDDEN', 'The id of this device is one of your cross-signing keys.')
}

async function commitUpload(deps: UploadDeps, requester: Requester, upload: CheckedUpload): Promise<void> {
  const { deviceNid, userNid, deviceId } = requester
  const before = upload.deviceKeys === undefined ? undefined : (await deviceKeys(deps.db, deviceNid))?.keys
  const isNew = upload.deviceKeys !== undefined && upload.deviceKeys !== before
  const isAnother = isNew && before !== undefined && identityOf(before) !== identityOf(upload.deviceKeys)
  const statements: Statement[] = []
  if (isNew) statements.push(setDeviceKeys(deviceNid, upload.deviceKeys))
  if (isAnother) {
    // Keys that the identity before has signed are good for nothing now, and so is who has signed that identity.
    statements.push(storage.deleteOneTimeKeys([deviceNid]), storage.deleteFallbackKeys([deviceNid]))
    statements.push(deleteSignaturesOf({ userNid, target: deviceId }))
  }
  statements.push(...(await oneTimeKeyStatements(deps, deviceNid, { keys: upload.oneTimeKeys, isFirst: isAnother })))
  statements.push(...(await fallbackStatements(deps, deviceNid, { keys: upload.fallbackKeys, isFirst: isAnother })))
  if (statements.length === 0) return
  const list = [requireDevice(deviceNid), ...statements]
  if (isNew) {
    const announcement = announceDevices(deps, { userNid, deviceIds: [deviceId] })
    await deps.streams.commit([...list, ...announcement.statements], announcement)
  } else await deps.db.commit(list)
  deps.e2eKeys.counts.forget([deviceNid])
}

/** What a device is known by; its signatures and algorithms may change without making it another. */
function identityOf(deviceKeysText: string): string {
  return JSON.stringify(storedObject(deviceKeysText)['keys'])
}

type Keys = { readonly keys: readonly UploadedKey[]; readonly isFirst: boolean }

/** @throws {MatrixError} M_INVALID_PARAM for another key of a name that is taken, or too many keys */
async function oneTimeKeyStatements(
  deps: UploadDeps,
  deviceNid: number,
  { keys, isFirst }: Keys,
): Promise<readonly Statement[]> {
  if (keys.length === 0) return []
  const algorithms = [...new Set(keys.map(({ algorithm }) => algorithm))]
  const names = { deviceNid, algorithms, keyIds: keys.map(({ keyId }) => keyId) }
  const rows = isFirst ? [] : await storage.oneTimeKeysNamed(deps.db, names)
  const known = new Map(rows.map((row) => [keyName({ algorithm: row.algorithm, keyId: row.key_id }), row]))
  const fresh = keys.filter((key) => known.get(keyName(key))?.one_time_key !== key.text)
  for (const key of fresh) {
    if (known.get(keyName(key))?.is_claimed === 0) {
      throw matrixError('M_INVALID_PARAM', `One time key ${keyName(key)} already exists, and is another one.`)
    }
  }
  if (fresh.length === 0) return []
  requireRoom(isFirst ? [] : await storage.oneTimeKeyCounts(deps.db, deviceNid), fresh)
  const upload = isFirst ? 1 : (await storage.lastUpload(deps.db, deviceNid)) + 1
  return [
    storage.forgetClaimedKeys({ deviceNid, upload: upload - E2E_LIMITS.uploadsRemembered }),
    ...fresh.flatMap((key) => {
      const insert = storage.insertOneTimeKey({ deviceNid, ...key, upload })
      return known.has(keyName(key)) ? [storage.forgetClaimedKey({ deviceNid, ...key }), insert] : [insert]
    }),
  ]
}

function requireRoom(rows: readonly storage.KeyCountRow[], fresh: readonly UploadedKey[]): void {
  const counts = new Map(rows.map((row) => [row.algorithm, row.unclaimed]))
  for (const { algorithm } of fresh) counts.set(algorithm, (counts.get(algorithm) ?? 0) + 1)
  if (counts.size > E2E_LIMITS.keyAlgorithmsMax) {
    throw matrixError('M_INVALID_PARAM', `A device has keys of at most ${E2E_LIMITS.keyAlgorithmsMax} algorithms.`)
  }
  const most = INPUT_LIMITS.oneTimeKeysMax
  if ([...counts.values()].every((count) => count <= most)) return
  throw matrixError('M_INVALID_PARAM', `A device has at most ${most} one-time keys of an algorithm.`)
}

/** The same key again does not become unused by it. */
async function fallbackStatements(
  deps: UploadDeps,
  deviceNid: number,
  { keys, isFirst }: Keys,
): Promise<readonly Statement[]> {
  if (keys.length === 0) return []
  const rows = isFirst ? [] : await storage.fallbackKeys(deps.db, [deviceNid])
  const known = new Map(rows.map((row) => [row.algorithm, row]))
  const fresh = keys.filter((key) => known.get(key.algorithm)?.fallback_key !== key.text)
  const algorithms = new Set([...known.keys(), ...fresh.map(({ algorithm }) => algorithm)])
  if (algorithms.size > E2E_LIMITS.keyAlgorithmsMax) {
    throw matrixError('M_INVALID_PARAM', `A device has keys of at most ${E2E_LIMITS.keyAlgorithmsMax} algorithms.`)
  }
  return fresh.map((key) => storage.setFallbackKey({ deviceNid, ...key }))
}
