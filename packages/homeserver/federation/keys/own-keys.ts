/** Our own keys as other servers get them. <https://spec.matrix.org/v1.19/server-server-api/#publishing-keys> */
import type { Clock } from '@holdfast/platform/clock/clock'
import { buildServerKeys } from '@holdfast/protocol/federation/own-keys'
import type { ServerName } from '@holdfast/protocol/ids/brand'
import type { JsonObject } from '@holdfast/protocol/json/value'
import { parseVerifyKey } from '@holdfast/protocol/signing/verify-key'
import type { KnownKey } from './known-server.ts'
import type { SigningKeys } from './signing-keys.ts'

export type OwnKeys = {
  /** The answer to `GET /_matrix/key/v2/server`, signed. */
  published(): JsonObject
  /** As those of another server would be known. */
  known(): ReadonlyMap<string, KnownKey>
}

export type OwnKeysDeps = {
  readonly serverName: ServerName
  readonly signingKeys: SigningKeys
  readonly clock: Pick<Clock, 'nowMs'>
}

/** Others ask again after that. A key that was taken from us is believed no longer. */
const VALID_MS = 24 * 3_600_000

export function openOwnKeys({ serverName, signingKeys, clock }: OwnKeysDeps): OwnKeys {
  let latest: { readonly keyId: string; readonly signedMs: number; readonly json: JsonObject } | undefined

  /** Anybody may ask, so not every answer is signed anew. */
  function published(): JsonObject {
    const key = signingKeys.current()
    const nowMs = clock.nowMs()
    const isFresh = latest?.keyId === key.keyId && nowMs >= latest.signedMs && nowMs < latest.signedMs + VALID_MS / 2
    if (latest === undefined || !isFresh) {
      const validUntilTs = nowMs + VALID_MS
      const json = buildServerKeys({ serverName, validUntilTs, keys: [key], oldKeys: signingKeys.old() })
      latest = { keyId: key.keyId, signedMs: nowMs, json }
    }
    return latest.json
  }

  function known(): ReadonlyMap<string, KnownKey> {
    const { keyId, publicKey } = signingKeys.current()
    const current = { kind: 'current', validUntilTs: Number.MAX_SAFE_INTEGER } as const
    const keys = new Map<string, KnownKey>([
      [keyId, { key: parseVerifyKey(publicKey)!, lifetime: current, isDirect: true }],
    ])
    for (const old of signingKeys.old()) {
      const lifetime = { kind: 'old', expiredTs: old.expiredTs } as const
      keys.set(old.keyId, { key: parseVerifyKey(old.publicKey)!, lifetime, isDirect: true })
    }
    return keys
  }

  return { published, known }
}
