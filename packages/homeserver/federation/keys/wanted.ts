/** What is wanted of a server's keys. */
import type { ServerName } from '@holdfast/protocol/ids/brand'
import type { KeyStore } from './key-store.ts'
import { UNKNOWN_SERVER, type KnownServer } from './known-server.ts'

export type Wanted = {
  /** For notaries: the keys, and until when they have to be good. */
  readonly keyIds: readonly string[]
  readonly validUntil: number
  /** Whether what is known is enough. */
  readonly isMet: (known: KnownServer) => boolean
}

export type WantedServers = ReadonlyMap<ServerName, Wanted>

/** Those of which not enough is known. */
export async function unmet(store: KeyStore, wanted: WantedServers): Promise<WantedServers> {
  if (wanted.size === 0) return wanted
  const known = await store.load([...wanted.keys()])
  return new Map([...wanted].filter(([server, { isMet }]) => !isMet(known.get(server) ?? UNKNOWN_SERVER)))
}
