/** Known servers in memory, with the database behind. */
import { LRUCache } from 'lru-cache'
import { upTo } from '@holdfast/platform/cache/up-to'
import type { Database, Statement } from '@holdfast/platform/database/database'
import type { ServerName } from '@holdfast/protocol/ids/brand'
import { parseVerifyKey } from '@holdfast/protocol/signing/verify-key'
import * as storage from '../../storage/server-keys.ts'
import { UNKNOWN_SERVER, type KnownKey, type KnownServer } from './known-server.ts'

export type KeyStore = {
  /** What is known of each. */
  load(servers: readonly ServerName[]): Promise<ReadonlyMap<ServerName, KnownServer>>
  /** Changes what is known of a server, one change after the other. */
  update(server: ServerName, change: (known: KnownServer) => KnownServer): Promise<KnownServer>
}

const REMEMBERED_SERVERS_MAX = 5_000
/** More servers than the network has. Their owners could otherwise fill the disk with names. */
const KEPT_SERVERS_MAX = 100_000
const ADDED_BETWEEN_COUNTS = 1_000

export function openKeyStore(db: Database): KeyStore {
  const memory = new LRUCache<ServerName, KnownServer>(upTo(REMEMBERED_SERVERS_MAX))
  const changing = new Map<ServerName, Promise<KnownServer>>()
  let added = 0

  async function load(servers: readonly ServerName[]): Promise<ReadonlyMap<ServerName, KnownServer>> {
    const missing = servers.filter((server) => !memory.has(server))
    const loaded = missing.length === 0 ? new Map<ServerName, KnownServer>() : await loadRows(db, missing)
    // A change that was made meanwhile is newer than what was read.
    for (const [server, known] of loaded) if (!memory.has(server)) memory.set(server, known)
    return new Map(servers.map((server) => [server, memory.get(server) ?? loaded.get(server) ?? UNKNOWN_SERVER]))
  }

  async function change(server: ServerName, changed: (known: KnownServer) => KnownServer): Promise<KnownServer> {
    const before = (await load([server])).get(server)!
    const after = changed(before)
    if (after === before) return before
    await db.commit(changesBetween(server, before, after))
    memory.set(server, after)
    if (before.response === undefined) await noteAdded()
    return after
  }

  async function noteAdded(): Promise<void> {
    added += 1
    if (added % ADDED_BETWEEN_COUNTS !== 0) return
    const [kept = 0] = await storage.countKeyResponses(db)
    if (kept <= KEPT_SERVERS_MAX) return
    const oldest = (await storage.oldestKeyResponses(db, kept - KEPT_SERVERS_MAX)) as readonly ServerName[]
    await db.commit(storage.deleteServersKeys(oldest))
    for (const server of oldest) memory.delete(server)
  }

  return {
    load,
    update: (server, changed) => {
      const before = changing.get(server) ?? Promise.resolve()
      const done: Promise<KnownServer> = before
        .catch(() => undefined)
        .then(() => change(server, changed))
        .finally(() => {
          if (changing.get(server) === done) changing.delete(server)
        })
      changing.set(server, done)
      return done
    },
  }
}

async function loadRows(db: Database, servers: readonly ServerName[]): Promise<Map<ServerName, KnownServer>> {
  const [responses, keys] = await Promise.all([storage.keyResponses(db, servers), storage.verifyKeys(db, servers)])
  const loaded = new Map<ServerName, { response: KnownServer['response']; keys: Map<string, KnownKey> }>()
  for (const server of servers) loaded.set(server, { response: undefined, keys: new Map() })
  for (const row of responses) {
    loaded.get(row.server_name as ServerName)!.response = {
      text: row.response,
      validUntilMs: row.valid_until_ms,
      fetchedMs: row.fetched_ms,
      isDirect: row.is_direct === 1,
    }
  }
  for (const row of keys) {
    const known = knownKeyOf(row)
    if (known !== undefined) loaded.get(row.server_name as ServerName)!.keys.set(row.key_id, known)
  }
  return loaded
}

function knownKeyOf(row: storage.VerifyKeyRow): KnownKey | undefined {
  const key = parseVerifyKey(row.public_key)
  if (key === undefined) return undefined
  const { expired_ms: expiredTs, valid_until_ms: validUntilTs } = row
  const lifetime =
    expiredTs === null ? ({ kind: 'current', validUntilTs } as const) : ({ kind: 'old', expiredTs } as const)
  return { key, lifetime, isDirect: row.is_direct === 1 }
}

function changesBetween(server: ServerName, before: KnownServer, after: KnownServer): Statement[] {
  const statements: Statement[] = []
  const { response } = after
  if (response !== undefined && response !== before.response) {
    statements.push(storage.upsertKeyResponse({ server, ...response }))
  }
  for (const [keyId, known] of after.keys) {
    if (known !== before.keys.get(keyId)) statements.push(storage.upsertVerifyKey(rowOf(server, keyId, known)))
  }
  for (const keyId of before.keys.keys()) {
    if (!after.keys.has(keyId)) statements.push(storage.deleteVerifyKey(server, keyId))
  }
  return statements
}

function rowOf(server: ServerName, keyId: string, { key, lifetime, isDirect }: KnownKey) {
  const isOld = lifetime.kind === 'old'
  return {
    server,
    keyId,
    publicKey: key.publicKey,
    validUntilMs: isOld ? lifetime.expiredTs : lifetime.validUntilTs,
    expiredMs: isOld ? lifetime.expiredTs : undefined,
    isDirect,
  }
}
