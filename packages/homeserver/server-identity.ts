/** The name and the signing key of this server: made at the first start, the same ever after. */
import type { ServerName } from '@holdfast/protocol/ids/brand'
import type { Database } from '@holdfast/platform/database/database'
import type { Random } from '@holdfast/platform/random/random'
import { insertServerIdentity, serverIdentity } from './storage/server-identity.ts'

export type ServerIdentity = { readonly keyId: string; readonly seed: Uint8Array }

const SEED_BYTES = 32
const KEY_VERSION_CHARACTERS = 6

export class WrongServerName extends Error {
  constructor(names: { readonly stored: string; readonly given: string }) {
    super(
      `The data belong to the server ${names.stored}, but the configured name is ${names.given}. ` +
        `A server cannot change its name: start with --server-name ${names.stored}, or with another data folder.`,
    )
    this.name = 'WrongServerName'
  }
}

/** @throws {WrongServerName} */
export async function loadServerIdentity(deps: {
  readonly db: Database
  readonly random: Random
  readonly serverName: ServerName
}): Promise<ServerIdentity> {
  const { db, random, serverName } = deps
  let row = await serverIdentity(db)
  if (row === undefined) {
    const keyId = `ed25519:a_${random.text(KEY_VERSION_CHARACTERS)}`
    await db.commit([insertServerIdentity({ serverName, keyId, seed: random.bytes(SEED_BYTES) })])
    row = (await serverIdentity(db))!
  }
  if (row.server_name !== serverName) throw new WrongServerName({ stored: row.server_name, given: serverName })
  return { keyId: row.key_id, seed: row.seed }
}
