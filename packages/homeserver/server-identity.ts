/** The name of this server: set at the first start, the same ever after. */
import type { ServerName } from '@holdfast/protocol/ids/brand'
import type { Database } from '@holdfast/platform/database/database'
import { insertOwnServerName, ownServerName } from './storage/server-identity.ts'

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
export async function checkServerName(db: Database, serverName: ServerName): Promise<void> {
  let stored = await ownServerName(db)
  if (stored === undefined) {
    await db.commit([insertOwnServerName(serverName)])
    stored = (await ownServerName(db))!
  }
  if (stored !== serverName) throw new WrongServerName({ stored, given: serverName })
}
