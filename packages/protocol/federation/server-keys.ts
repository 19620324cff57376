/** The keys that servers publish of themselves. <https://spec.matrix.org/v1.19/server-server-api/#retrieving-server-keys> */
import type { ServerName } from '../ids/brand.ts'
import { parseServerName } from '../ids/server-name.ts'
import { isObject, type JsonObject, type JsonValue } from '../json/value.ts'
import { INPUT_LIMITS } from '../limits.ts'
import { SIGNATURE_ALGORITHMS, verifySignedJson } from '../signing/sign-json.ts'
import { parseVerifyKey, type VerifyKey } from '../signing/verify-key.ts'
import { isKeyId } from './key-id.ts'
import { isWeakKey } from './weak-keys.ts'

const { serverKeysMax } = INPUT_LIMITS

export type OldVerifyKey = { readonly key: VerifyKey; readonly expiredTs: number }

export type ServerKeys = {
  readonly ok: true
  readonly serverName: ServerName
  /** As the server says it: see `effectiveValidUntil`. */
  readonly validUntilTs: number
  /** By key id, of algorithms that we understand. */
  readonly verifyKeys: ReadonlyMap<string, VerifyKey>
  readonly oldVerifyKeys: ReadonlyMap<string, OldVerifyKey>
}

export type ServerKeysProblem = {
  readonly ok: false
  readonly problem: 'malformed' | 'wrong-server' | 'too-many-keys' | 'not-signed' | 'bad-signature'
  readonly message: string
}

/**
 * Reads what a server, or a notary for it, answers. It must be signed with one of the current keys in it at least, and no
 * signature of a current key may be wrong. A key that could not verify anything is left out.
 */
export function parseServerKeys(value: JsonValue, expectedServer?: ServerName): ServerKeys | ServerKeysProblem {
  if (!isObject(value)) return malformed('server keys must be an object.')
  const rawName = own(value, 'server_name')
  const serverName = typeof rawName === 'string' ? parseServerName(rawName) : undefined
  if (serverName === undefined) return malformed('server_name must be a server name.')
  if (expectedServer !== undefined && serverName !== expectedServer) {
    return {
      ok: false,
      problem: 'wrong-server',
      message: `The keys are those of ${serverName}, not ${expectedServer}.`,
    }
  }
  const validUntilTs = own(value, 'valid_until_ts')
  if (!isTimestamp(validUntilTs)) return malformed('valid_until_ts must be an integer.')
  const current = entriesOf(own(value, 'verify_keys'))
  // Absent or null, as some languages write an empty map: there are none.
  const old = entriesOf(own(value, 'old_verify_keys') ?? {})
  if (current === undefined || old?.every(({ entry }) => isTimestamp(own(entry, 'expired_ts'))) !== true) {
    return malformed('verify_keys and old_verify_keys must be objects of keys, the old ones with expired_ts.')
  }
  if (current.length + old.length > serverKeysMax) {
    return { ok: false, problem: 'too-many-keys', message: `A server has at most ${serverKeysMax} keys.` }
  }
  const verifyKeys = new Map(usable(current).map(({ keyId, key }) => [keyId, key]))
  const unsigned = selfSignatureProblem(value, serverName, verifyKeys)
  if (unsigned !== undefined) return unsigned
  // What is given up is given up, even if it is still listed among the others.
  for (const { keyId } of old) verifyKeys.delete(keyId)
  return { ok: true, serverName, validUntilTs, verifyKeys, oldVerifyKeys: oldKeysOf(old) }
}

function malformed(message: string): ServerKeysProblem {
  return { ok: false, problem: 'malformed', message }
}

function isTimestamp(value: JsonValue | undefined): value is number {
  return Number.isSafeInteger(value)
}

type Entry = { readonly keyId: string; readonly entry: JsonObject; readonly text: string }

/** The keys of algorithms that we understand; undefined if one of them has not the form of a key. */
function entriesOf(keys: JsonValue | undefined): Entry[] | undefined {
  if (!isObject(keys)) return undefined
  const entries: Entry[] = []
  for (const [keyId, entry] of Object.entries(keys)) {
    if (!SIGNATURE_ALGORITHMS.includes(keyId.slice(0, keyId.indexOf(':')))) continue
    const text = isObject(entry) ? own(entry, 'key') : undefined
    if (!isObject(entry) || typeof text !== 'string' || !isKeyId(keyId)) return undefined
    entries.push({ keyId, entry, text })
  }
  return entries
}

function usable(entries: readonly Entry[]): (Entry & { readonly key: VerifyKey })[] {
  return entries.flatMap((entry) => {
    const key = parseVerifyKey(entry.text)
    return key === undefined || isWeakKey(key) ? [] : [{ ...entry, key }]
  })
}

function oldKeysOf(entries: readonly Entry[]): Map<string, OldVerifyKey> {
  return new Map(
    usable(entries).map(({ keyId, key, entry }) => [keyId, { key, expiredTs: own(entry, 'expired_ts') as number }]),
  )
}

function selfSignatureProblem(
  value: JsonObject,
  signer: ServerName,
  keys: ReadonlyMap<string, VerifyKey>,
): ServerKeysProblem | undefined {
  const verdict = verifySignedJson(value, { signer, keyOf: (keyId) => keys.get(keyId) })
  if (verdict.valid) return undefined
  if (verdict.problem === 'bad-signature') {
    return { ok: false, problem: 'bad-signature', message: `The signature with ${verdict.keyId} does not hold.` }
  }
  return { ok: false, problem: 'not-signed', message: 'The keys are not signed with any of the current keys in them.' }
}

function own(object: JsonObject, key: string): JsonValue | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined
}
