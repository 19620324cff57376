/** A new password for an account. */
import { removeAllDevices } from '../devices/remove-devices.ts'
import type { Homeserver } from '../homeserver.ts'
import { setPasswordHash } from '../storage/accounts.ts'
import { deleteLoginTokensOf } from '../storage/tokens.ts'
import { hashPassword } from './passwords.ts'
import type { Requester } from './requester.ts'

/** The requester's own device stays; the others go if `logoutDevices` says so. Login tokens go in any case. */
export async function changePassword(
  deps: Pick<Homeserver, 'db' | 'accounts' | 'passwords' | 'streams' | 'e2eKeys'>,
  { userNid, deviceNid }: Pick<Requester, 'userNid' | 'deviceNid'>,
  { password, logoutDevices }: { readonly password: string; readonly logoutDevices: boolean },
): Promise<void> {
  const passwordHash = await hashPassword(deps, password)
  const statements = [setPasswordHash({ userNid, passwordHash }), deleteLoginTokensOf(userNid)]
  if (logoutDevices) await removeAllDevices(deps, { userNid, exceptNid: deviceNid }, statements)
  else await deps.db.commit(statements)
}
