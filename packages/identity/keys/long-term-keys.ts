/** The keys that the service signs with. <https://spec.matrix.org/v1.19/identity-service-api/#key-management> */
import type { Clock } from '@holdfast/platform/clock/clock'
import type { Database } from '@holdfast/platform/database/database'
import type { Random } from '@holdfast/platform/random/random'
import { createSigningKey, SEED_BYTES, type SigningKey } from '@holdfast/protocol/signing/signing-key'
import { parseVerifyKey } from '@holdfast/protocol/signing/verify-key'
import * as storage from '../storage/signing-keys.ts'

export type LongTermKeys = {
  /** Signs what is new. */
  current(): SigningKey
  /** The key of this id while it counts; a revoked one does not. */
  valid(keyId: string): SigningKey | undefined
  /** Whether a key of ours has this public key, in any spelling of base64, and counts. */
  isValid(publicKey: string): boolean
  /** From now on a new key is in use; the one before it counts for what it signed, and for invitations of its time. */
  rotate(): Promise<SigningKey>
  /**
   * Nothing that it signed counts any more. The key in use is rotated out first.
   * @returns whether there is such a key
   */
  revoke(keyId: string): Promise<boolean>
}

export type LongTermKeysDeps = {
  readonly db: Database
  readonly random: Random
  readonly clock: Pick<Clock, 'nowMs'>
}

type Held = { readonly key: SigningKey; readonly isRevoked: boolean }

const KEY_VERSION_CHARACTERS = 6

/** Makes the first key, if there is none. */
export async function openLongTermKeys(deps: LongTermKeysDeps): Promise<LongTermKeys> {
  const { db, clock } = deps
  let held = await load(db)
  if (held.length === 0) {
    await db.commit([storage.insertSigningKey(newKey(deps))])
    held = await load(db)
  }
  let changing: Promise<unknown> = Promise.resolve()

  /** One change after the other. */
  function inTurn<T>(change: () => Promise<T>): Promise<T> {
    const turn = changing.then(change)
    changing = turn.catch(() => undefined)
    return turn
  }

  async function rotate(): Promise<SigningKey> {
    await db.commit([
      storage.retireSigningKey(current().keyId, clock.nowMs()),
      storage.insertSigningKey(newKey(deps)),
    ])
    held = await load(db)
    return current()
  }

  async function revoke(keyId: string): Promise<boolean> {
    if (!held.some(({ key }) => key.keyId === keyId)) return false
    if (current().keyId === keyId) await rotate()
    await db.commit([storage.revokeSigningKey(keyId, clock.nowMs())])
    held = await load(db)
    return true
  }

  const current = (): SigningKey => held.at(-1)!.key
  const counting = () => held.filter(({ isRevoked }) => !isRevoked).map(({ key }) => key)
  return {
    current,
    valid: (keyId) => counting().find((key) => key.keyId === keyId),
    isValid: (publicKey) => {
      const asked = parseVerifyKey(fromUrlSafe(publicKey))?.publicKey
      return counting().some((key) => key.publicKey === asked)
    },
    rotate: () => inTurn(rotate),
    revoke: (keyId) => inTurn(() => revoke(keyId)),
  }
}

/** Both alphabets are allowed in `public_key`. */
export function fromUrlSafe(publicKey: string): string {
  return publicKey.replaceAll('-', '+').replaceAll('_', '/')
}

async function load(db: Database): Promise<readonly Held[]> {
  const rows = await storage.signingKeys(db)
  return rows.map(({ key_id: keyId, seed, revoked_ms: revokedMs }) => ({
    key: createSigningKey({ keyId, seed }),
    isRevoked: revokedMs !== null,
  }))
}

function newKey({ random, clock }: LongTermKeysDeps) {
  const keyId = `ed25519:i_${random.text(KEY_VERSION_CHARACTERS)}`
  const seed = random.bytes(SEED_BYTES)
  return { keyId, seed, publicKey: createSigningKey({ keyId, seed }).publicKey, createdMs: clock.nowMs() }
}
