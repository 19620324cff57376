/** What belongs to accounts, in every table, and ends with them: in the commit that deactivates. */
import type { Statement } from '@holdfast/platform/database/database'
import { deleteAccountDataOfUser } from '../storage/account-data.ts'
import { deleteCrossSigningKeys, deleteSignaturesAround } from '../storage/cross-signing-keys.ts'
import { deletePrivateKeyChanges } from '../storage/device-lists.ts'
import { deleteFiltersOfUser } from '../storage/filters.ts'
import { deleteOpenIdTokensOf } from '../storage/openid-tokens.ts'
import { deletePresence } from '../storage/presence.ts'
import { deleteReceiptsOfUser } from '../storage/receipts.ts'

/** One line for each table with rows of users, apart from those of devices (devices/device-rows.ts). */
const OWNED_ROWS: readonly ((userNid: number) => Statement)[] = [
  deleteAccountDataOfUser,
  deleteCrossSigningKeys,
  deleteFiltersOfUser,
  deleteOpenIdTokensOf,
  deletePresence,
  deletePrivateKeyChanges,
  deleteReceiptsOfUser,
  deleteSignaturesAround,
]

export function accountRows(userNid: number): readonly Statement[] {
  return OWNED_ROWS.map((statementFor) => statementFor(userNid))
}
