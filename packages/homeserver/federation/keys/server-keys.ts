/** Public keys of servers, ours among them. */
import type { ServerName } from '@holdfast/protocol/ids/brand'
import type { SigningKey } from '@holdfast/protocol/signing/signing-key'
import { parseVerifyKey, type VerifyKey } from '@holdfast/protocol/signing/verify-key'

export type KeyRequest = {
  readonly server: ServerName
  readonly keyIds: readonly string[]
  /** When the key must be valid, ms; undefined: whenever. */
  readonly validAt: number | undefined
}

export type FoundKeys = ReadonlyMap<ServerName, ReadonlyMap<string, VerifyKey>>

export type ServerKeys = {
  /** Keys by server and key id; those that cannot be had, or were not valid then, are absent. */
  find(requests: readonly KeyRequest[], options?: { readonly signal?: AbortSignal }): Promise<FoundKeys>
}

export type ServerKeysDeps = { readonly serverName: ServerName; readonly signingKey: SigningKey }

export function openServerKeys({ serverName, signingKey }: ServerKeysDeps): ServerKeys {
  return {
    find: async (requests) => {
      const ours = parseVerifyKey(signingKey.publicKey)!
      const asked = requests.some(({ server, keyIds }) => server === serverName && keyIds.includes(signingKey.keyId))
      return new Map(asked ? [[serverName, new Map([[signingKey.keyId, ours]])]] : [])
    },
  }
}
