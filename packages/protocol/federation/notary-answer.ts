/** What a notary says about the keys of other servers. <https://spec.matrix.org/v1.19/server-server-api/#querying-keys-through-another-server> */
import type { ServerName } from '../ids/brand.ts'
import { isObject, type JsonObject, type JsonValue } from '../json/value.ts'
import { INPUT_LIMITS } from '../limits.ts'
import { verifySignedJson } from '../signing/sign-json.ts'
import type { VerifyKey } from '../signing/verify-key.ts'
import { parseServerKeys } from './server-keys.ts'
import type { ServerKeys, ServerKeysProblem } from './server-keys.ts'

const { notaryServersMax } = INPUT_LIMITS

export type NotaryAnswer =
  | { readonly ok: true; readonly entries: readonly NotaryEntry[] }
  | { readonly ok: false; readonly message: string }

/** One server's keys, or why they are worth nothing; `json` is what a notary of our own may pass on. */
export type NotaryEntry = { readonly json: JsonValue; readonly keys: ServerKeys | ServerKeysProblem }

export type Notary = {
  readonly serverName: ServerName
  readonly keyOf: (keyId: string) => VerifyKey | undefined
}

/**
 * Each entry must be signed by the server that it speaks of and by the notary: a notary cannot invent keys, and nobody can answer
 * for the notary. One bad entry harms no other.
 */
export function parseNotaryAnswer(value: JsonValue, notary: Notary): NotaryAnswer {
  const entries = isObject(value) && Object.hasOwn(value, 'server_keys') ? value['server_keys'] : undefined
  if (!Array.isArray(entries)) return { ok: false, message: 'server_keys must be a list.' }
  if (entries.length > notaryServersMax) {
    return { ok: false, message: `server_keys must not have more than ${notaryServersMax} entries.` }
  }
  return { ok: true, entries: entries.map((json: JsonValue) => ({ json, keys: entryOf(json, notary) })) }
}

function entryOf(json: JsonValue, notary: Notary): ServerKeys | ServerKeysProblem {
  const keys = parseServerKeys(json)
  if (!keys.ok) return keys
  const { serverName: signer, keyOf } = notary
  const verdict = verifySignedJson(json as JsonObject, { signer, keyOf })
  if (verdict.valid) return keys
  const problem = verdict.problem === 'bad-signature' ? 'bad-signature' : 'not-signed'
  return { ok: false, problem, message: `The notary ${signer} has not signed the keys of ${keys.serverName}.` }
}
