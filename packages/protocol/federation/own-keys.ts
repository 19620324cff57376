/** Our own keys as we publish them. <https://spec.matrix.org/v1.19/server-server-api/#publishing-keys> */
import type { ServerName } from '../ids/brand.ts'
import { emptyObject, type JsonObject } from '../json/value.ts'
import { signJson } from '../signing/sign-json.ts'
import type { SigningKey } from '../signing/signing-key.ts'

export type OwnOldKey = { readonly keyId: string; readonly publicKey: string; readonly expiredTs: number }

export type OwnKeys = {
  readonly serverName: ServerName
  readonly validUntilTs: number
  /** In use; each of them signs. */
  readonly keys: readonly SigningKey[]
  /** For the signatures on old events. */
  readonly oldKeys: readonly OwnOldKey[]
}

/** The answer to `GET /_matrix/key/v2/server`. A notary adds its own signature to another one's with `signJson`. */
export function buildServerKeys({ serverName, validUntilTs, keys, oldKeys }: OwnKeys): JsonObject {
  const current = emptyObject()
  for (const { keyId, publicKey } of keys) current[keyId] = { key: publicKey }
  const old = emptyObject()
  for (const { keyId, publicKey, expiredTs } of oldKeys) old[keyId] = { expired_ts: expiredTs, key: publicKey }
  const unsigned: JsonObject = {
    old_verify_keys: old,
    server_name: serverName,
    valid_until_ts: validUntilTs,
    verify_keys: current,
  }
  return keys.reduce((signed, key) => signJson(signed, { signer: serverName, key }), unsigned)
}
