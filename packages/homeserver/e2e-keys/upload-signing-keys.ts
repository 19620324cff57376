/** POST /keys/device_signing/upload from within. <https://spec.matrix.org/v1.19/client-server-api/#cross-signing> */
import { ExpectationFailed, type Statement } from '@holdfast/platform/database/database'
import { matrixError } from '@holdfast/protocol/errors'
import type { JsonObject } from '@holdfast/protocol/json/value'
import { verifySignedJson } from '@holdfast/protocol/signing/sign-json'
import { parseVerifyKey } from '@holdfast/protocol/signing/verify-key'
import type { Requester } from '../accounts/requester.ts'
import type { Homeserver } from '../homeserver.ts'
import * as storage from '../storage/cross-signing-keys.ts'
import { deviceOf } from '../storage/devices.ts'
import { checkSigningKey, type CheckedSigningKey } from './check-remote-keys.ts'
import { announcePrivately, announceSigningKeys } from './device-lists.ts'

type SigningDeps = Pick<Homeserver, 'db' | 'streams' | 'e2eKeys'>

const USAGES = ['master', 'self_signing', 'user_signing'] as const
type Usage = storage.KeyUsage

/** What is to be done with an upload. */
export type SigningUpload = {
  /** Keys that differ from those the user has. */
  readonly fresh: ReadonlyMap<Usage, CheckedSigningKey>
  /** Public keys that the user has. */
  readonly known: ReadonlyMap<Usage, string>
  /** Whether the user has to prove who they are: keys are there and would be replaced or added to. */
  readonly needsProof: boolean
}

/** @throws {MatrixError} for keys of others, and keys that the master key has not signed */
export async function checkSigningUpload(
  deps: Pick<Homeserver, 'db'>,
  requester: Requester,
  body: JsonObject,
): Promise<SigningUpload> {
  const { userNid } = requester
  const uploaded = new Map<Usage, CheckedSigningKey>()
  for (const usage of USAGES) {
    const said = body[`${usage}_key`]
    if (said !== undefined) uploaded.set(usage, await requireSound(deps, requester, usage, said as JsonObject))
  }
  const rows = await storage.crossSigningKeys(deps.db, [userNid])
  const known = new Map<Usage, string>()
  for (const usage of USAGES) {
    const row = rows.find(({ key_usage: code }) => code === storage.USAGE_CODES[usage])
    if (row !== undefined) known.set(usage, row.public_key)
  }
  requireSignedByMaster(requester, uploaded, uploaded.get('master')?.publicKey ?? known.get('master'))
  const fresh = new Map([...uploaded].filter(([usage, key]) => known.get(usage) !== key.publicKey))
  return { fresh, known, needsProof: known.has('master') && fresh.size > 0 }
}

async function requireSound(
  deps: Pick<Homeserver, 'db'>,
  { userId, userNid }: Requester,
  usage: Usage,
  said: JsonObject,
): Promise<CheckedSigningKey> {
  const key = checkSigningKey(userId, usage, said)
  if (key === undefined || parseVerifyKey(key.publicKey)?.publicKey !== key.publicKey) {
    throw matrixError('M_INVALID_PARAM', `\`${usage}_key\` is not an Ed25519 key of yours for this use.`)
  }
  if ((await deviceOf(deps.db, { userNid, deviceId: key.publicKey })) === undefined) return key
  throw matrixError('M_FORBIDDEN', `\`${usage}_key\` is the id of one of your devices.`)
}

function requireSignedByMaster(
  { userId }: Requester,
  uploaded: ReadonlyMap<Usage, CheckedSigningKey>,
  masterPublicKey: string | undefined,
): void {
  for (const [usage, { value }] of uploaded) {
    if (usage === 'master') continue
    if (masterPublicKey === undefined) {
      throw matrixError('M_MISSING_PARAM', 'A master key has to be uploaded before or with the keys it signs.')
    }
    const keyOf = (keyId: string): ReturnType<typeof parseVerifyKey> =>
      keyId === `ed25519:${masterPublicKey}` ? parseVerifyKey(masterPublicKey) : undefined
    if (verifySignedJson(value, { signer: userId, keyOf }).valid) continue
    throw matrixError('M_INVALID_SIGNATURE', `\`${usage}_key\` is not signed by your master key.`)
  }
}

/** The upload was checked, and its user has proved what they had to. */
export async function commitSigningUpload(
  deps: SigningDeps,
  { userNid }: Requester,
  { fresh, known }: SigningUpload,
): Promise<void> {
  if (fresh.size === 0) return
  const statements: Statement[] = [
    storage.requireCrossSigningKey({ userNid, usage: 'master', publicKey: known.get('master') }),
  ]
  // What the master key before has signed says nothing under another one.
  const gone = fresh.has('master') ? USAGES.filter((usage) => known.has(usage)) : [...fresh.keys()]
  for (const usage of gone) {
    const publicKey = known.get(usage)
    if (publicKey === undefined) continue
    statements.push(storage.deleteCrossSigningKey({ userNid, usage }))
    statements.push(storage.deleteSignaturesOf({ userNid, target: publicKey }))
    statements.push(storage.deleteSignaturesBy({ signerNid: userNid, keyId: `ed25519:${publicKey}` }))
  }
  for (const [usage, key] of fresh) statements.push(storage.setCrossSigningKey({ userNid, usage, ...key }))
  const isShown = fresh.has('master') || fresh.has('self_signing')
  const announcement = isShown
    ? announceSigningKeys(deps, userNid)
    : announcePrivately(deps, { readerNid: userNid, userNid })
  try {
    await deps.streams.commit([...statements, ...announcement.statements], announcement)
  } catch (error) {
    if (!(error instanceof ExpectationFailed)) throw error
    throw matrixError('M_FORBIDDEN', 'Your keys have been changed by another device meanwhile; look at them again.')
  }
}
