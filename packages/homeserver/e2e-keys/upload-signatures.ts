/**
 * POST /keys/signatures/upload from within: what a user says of their own devices, their own master key, and the master
 * keys of others. <https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3keyssignaturesupload>
 */
import type { Statement } from '@holdfast/platform/database/database'
import { MatrixError, matrixError } from '@holdfast/protocol/errors'
import type { UserId } from '@holdfast/protocol/ids/brand'
import { canonicalJson, isCanonicalValue } from '@holdfast/protocol/json/canonical'
import { emptyObject, isObject, type JsonObject } from '@holdfast/protocol/json/value'
import { signatureHolds, signedText } from '@holdfast/protocol/signing/sign-json'
import { parseVerifyKey, type VerifyKey } from '@holdfast/protocol/signing/verify-key'
import type { Requester } from '../accounts/requester.ts'
import type { Homeserver } from '../homeserver.ts'
import {
  crossSigningKeys,
  keySignatures,
  setKeySignature,
  USAGE_CODES,
  type KeyUsage,
} from '../storage/cross-signing-keys.ts'
import { keyedDevices } from '../storage/device-keys.ts'
import { announceDevices, announcePrivately, announceSigningKeys, type Announcement } from './device-lists.ts'
import { E2E_LIMITS } from './limits.ts'
import { objectIn } from './shown-keys.ts'
import { storedObject } from './stored-json.ts'

type SignatureDeps = Pick<Homeserver, 'db' | 'dictionary' | 'streams' | 'e2eKeys'>

/** Signed keys by user and by device id or public key. */
export type SignedKeys = readonly (readonly [UserId, Readonly<Record<string, JsonObject>>])[]

type Added = {
  readonly userNid: number
  readonly target: string
  readonly kind: 'device' | 'master'
  readonly keyId: string
  readonly signature: string
}

/** @returns what was refused, by user and key; everything else is kept */
export async function uploadSignatures(
  deps: SignatureDeps,
  requester: Requester,
  signed: SignedKeys,
): Promise<ReadonlyMap<UserId, JsonObject>> {
  requireBounded(signed)
  const own = await loadKeys(deps, requester.userNid)
  const failures = new Map<UserId, JsonObject>()
  const added: Added[] = []
  for (const [userId, keys] of signed) {
    const userNid = userId === requester.userId ? requester.userNid : await deps.dictionary.userNid(userId)
    const theirs = userNid === undefined || userNid === requester.userNid ? own : await loadKeys(deps, userNid)
    const failed = emptyObject()
    for (const [target, object] of Object.entries(keys)) {
      try {
        if (userNid === undefined) throw unknownKey()
        added.push(...newSignatures(requester, { userNid, target, object, own, theirs }))
      } catch (error) {
        if (!(error instanceof MatrixError)) throw error
        failed[target] = refusal(error)
      }
    }
    if (Object.keys(failed).length > 0) failures.set(userId, failed)
  }
  await commitSignatures(deps, requester, added)
  return failures
}

function refusal(error: MatrixError): JsonObject {
  const said = emptyObject()
  said['errcode'] = error.errcode
  said['error'] = error.message
  return said
}

function requireBounded(signed: SignedKeys): void {
  let count = 0
  for (const [, keys] of signed) count += Object.keys(keys).length
  if (count <= E2E_LIMITS.signedKeysMax) return
  throw matrixError('M_INVALID_PARAM', `At most ${E2E_LIMITS.signedKeysMax} keys can be signed at once.`)
}

/** The keys of a user, and what they signed. */
type UserKeys = {
  readonly devices: ReadonlyMap<string, JsonObject>
  readonly signing: ReadonlyMap<KeyUsage, { readonly publicKey: string; readonly keys: JsonObject }>
}

async function loadKeys(deps: Pick<Homeserver, 'db'>, userNid: number): Promise<UserKeys> {
  const devices = await keyedDevices(deps.db, [userNid])
  const rows = await crossSigningKeys(deps.db, [userNid])
  const signing = new Map<KeyUsage, { publicKey: string; keys: JsonObject }>()
  for (const usage of ['master', 'self_signing', 'user_signing'] as const) {
    const row = rows.find(({ key_usage: code }) => code === USAGE_CODES[usage])
    if (row !== undefined) signing.set(usage, { publicKey: row.public_key, keys: storedObject(row.keys) })
  }
  return { devices: new Map(devices.map((row) => [row.device_id, storedObject(row.keys)])), signing }
}

type Signing = {
  readonly userNid: number
  readonly target: string
  readonly object: JsonObject
  readonly own: UserKeys
  readonly theirs: UserKeys
}

/** @throws {MatrixError} M_NOT_FOUND, M_INVALID_PARAM or M_INVALID_SIGNATURE */
function newSignatures(requester: Requester, { userNid, target, object, own, theirs }: Signing): readonly Added[] {
  const isOwn = userNid === requester.userNid
  const device = isOwn ? own.devices.get(target) : undefined
  const master = theirs.signing.get('master')
  const stored = device ?? (master?.publicKey === target ? master.keys : undefined)
  if (stored === undefined) throw unknownKey()
  if (!isCanonicalValue(object) || signedText(object) !== signedText(stored)) {
    throw matrixError('M_INVALID_PARAM', 'What was signed is not the key that is stored here.')
  }
  const kind = device === undefined ? 'master' : 'device'
  const signatures = objectIn(objectIn(object, 'signatures'), requester.userId)
  const before = objectIn(objectIn(stored, 'signatures'), requester.userId)
  const fresh = Object.entries(signatures).filter(([keyId, signature]) => before[keyId] !== signature)
  if (Object.keys(signatures).length === 0) throw matrixError('M_INVALID_SIGNATURE', 'There is no signature of yours.')
  return fresh.map(([keyId, signature]) => {
    const key = signerKey(own, { kind: isOwn ? kind : 'other', keyId })
    if (key === undefined || typeof signature !== 'string' || !signatureHolds(key, signedText(stored), signature)) {
      throw matrixError('M_INVALID_SIGNATURE', `The signature by ${keyId} is not one of yours for this key.`)
    }
    return { userNid, target, kind, keyId, signature }
  })
}

function unknownKey(): MatrixError {
  return matrixError('M_NOT_FOUND', 'There is no such key, or not one that you can sign.')
}

/** Own devices are signed by the self-signing key, the own master key by devices, other users by the user-signing key. */
function signerKey(
  own: UserKeys,
  { kind, keyId }: { readonly kind: 'device' | 'master' | 'other'; readonly keyId: string },
): VerifyKey | undefined {
  if (kind === 'master') {
    const deviceId = keyId.slice('ed25519:'.length)
    const keys = own.devices.get(deviceId)?.['keys']
    const publicKey = isObject(keys) ? keys[`ed25519:${deviceId}`] : undefined
    return typeof publicKey === 'string' && keyId === `ed25519:${deviceId}` ? parseVerifyKey(publicKey) : undefined
  }
  const publicKey = own.signing.get(kind === 'device' ? 'self_signing' : 'user_signing')?.publicKey
  return publicKey !== undefined && keyId === `ed25519:${publicKey}` ? parseVerifyKey(publicKey) : undefined
}

async function commitSignatures(deps: SignatureDeps, requester: Requester, added: readonly Added[]): Promise<void> {
  const fresh = await unknownSignatures(deps, requester, added)
  if (fresh.length === 0) return
  const announcements = announcementsOf(deps, requester, fresh)
  const statements: readonly Statement[] = [
    ...fresh.map((one) => setKeySignature({ ...one, signerNid: requester.userNid })),
    ...announcements.flatMap((one) => one.statements),
  ]
  await deps.streams.commit(statements, {
    positions: announcements.reduce((sum, one) => sum + one.positions, 0),
    publish: (first) => {
      for (const one of announcements) one.publish(first)
    },
  })
}

/** The same again changes nothing and tells nobody. */
async function unknownSignatures(
  deps: Pick<Homeserver, 'db'>,
  { userNid }: Requester,
  added: readonly Added[],
): Promise<readonly Added[]> {
  if (added.length === 0) return []
  const userNids = [...new Set(added.map((one) => one.userNid))]
  const rows = await keySignatures(deps.db, { userNids, readerNid: userNid })
  const known = new Set(
    rows
      .filter((row) => row.signer_nid === userNid)
      .map((row) => canonicalJson([row.user_nid, row.target, row.key_id, row.signature])),
  )
  return added.filter((one) => !known.has(canonicalJson([one.userNid, one.target, one.keyId, one.signature])))
}

/** In the order of their positions. */
function announcementsOf(
  deps: SignatureDeps,
  { userNid }: Requester,
  added: readonly Added[],
): readonly Announcement[] {
  const announcements: Announcement[] = []
  let offset = 0
  const add = (announcement: Announcement): void => {
    announcements.push(announcement)
    offset += announcement.positions
  }
  const own = added.filter((one) => one.userNid === userNid)
  const deviceIds = [...new Set(own.filter(({ kind }) => kind === 'device').map(({ target }) => target))]
  if (deviceIds.length > 0) add(announceDevices(deps, { userNid, deviceIds }, offset))
  if (own.some(({ kind }) => kind === 'master')) add(announceSigningKeys(deps, userNid, offset))
  for (const other of new Set(added.map((one) => one.userNid))) {
    if (other !== userNid) add(announcePrivately(deps, { readerNid: userNid, userNid: other }, offset))
  }
  return announcements
}
