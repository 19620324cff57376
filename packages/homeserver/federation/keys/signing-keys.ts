/** The keys that this server signs with: one in use, and those before it, for events of their time. */
import type { Clock } from '@holdfast/platform/clock/clock'
import type { Database } from '@holdfast/platform/database/database'
import type { Random } from '@holdfast/platform/random/random'
import type { OwnOldKey } from '@holdfast/protocol/federation/own-keys'
import { createSigningKey, SEED_BYTES, type SigningKey } from '@holdfast/protocol/signing/signing-key'
import * as storage from '../../storage/server-identity.ts'

export type SigningKeys = {
  /** For requests, and for events of now. */
  current(): SigningKey
  /** The one that was in use at this time, ms: an old key signs nothing that is dated later. */
  at(timeMs: number): SigningKey
  old(): readonly OwnOldKey[]
  /** From now on a new key is in use. */
  rotate(): Promise<SigningKey>
}

export type SigningKeysDeps = {
  readonly db: Database
  readonly random: Random
  readonly clock: Pick<Clock, 'nowMs'>
}

type Held = { readonly key: SigningKey; readonly expiredMs: number | undefined }

const KEY_VERSION_CHARACTERS = 6

/** Makes the first key, if there is none. */
export async function openSigningKeys(deps: SigningKeysDeps): Promise<SigningKeys> {
  const { db, clock } = deps
  let held = await load(db)
  if (held.length === 0) {
    await db.commit([storage.insertSigningKey(newKey(deps))])
    held = await load(db)
  }
  let rotating: Promise<SigningKey> | undefined

  async function rotate(): Promise<SigningKey> {
    const before = inUse(held)
    await db.commit([storage.expireSigningKey(before.keyId, clock.nowMs()), storage.insertSigningKey(newKey(deps))])
    held = await load(db)
    return inUse(held)
  }

  return {
    current: () => inUse(held),
    at: (timeMs) => (held.find(({ expiredMs }) => expiredMs === undefined || timeMs <= expiredMs) ?? held.at(-1)!).key,
    old: () =>
      held.flatMap(({ key, expiredMs }) =>
        expiredMs === undefined ? [] : [{ keyId: key.keyId, publicKey: key.publicKey, expiredTs: expiredMs }],
      ),
    rotate: () => {
      rotating ??= rotate().finally(() => {
        rotating = undefined
      })
      return rotating
    },
  }
}

async function load(db: Database): Promise<readonly Held[]> {
  const rows = await storage.signingKeys(db)
  return rows.map(({ key_id: keyId, seed, expired_ms: expiredMs }) => ({
    key: createSigningKey({ keyId, seed }),
    expiredMs: expiredMs ?? undefined,
  }))
}

function newKey({ random, clock }: SigningKeysDeps) {
  return {
    keyId: `ed25519:a_${random.text(KEY_VERSION_CHARACTERS)}`,
    seed: random.bytes(SEED_BYTES),
    createdMs: clock.nowMs(),
  }
}

function inUse(held: readonly Held[]): SigningKey {
  return held.at(-1)!.key
}
