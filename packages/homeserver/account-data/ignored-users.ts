/** Whom a user does not want to hear. <https://spec.matrix.org/v1.19/client-server-api/#ignoring-users> */
import { parseUserId } from '@holdfast/protocol/ids/user-id'
import type { UserId } from '@holdfast/protocol/ids/brand'
import { isObject, type JsonObject } from '@holdfast/protocol/json/value'
import type { Homeserver } from '../homeserver.ts'
import { accountDataText, NO_ROOM } from './account-data.ts'

const NOBODY: ReadonlySet<UserId> = new Set()

export async function ignoredUsers(deps: Pick<Homeserver, 'db'>, userNid: number): Promise<ReadonlySet<UserId>> {
  const text = await accountDataText(deps, { userNid, roomNid: NO_ROOM, type: 'm.ignored_user_list' })
  if (text === undefined) return NOBODY
  const { ignored_users } = JSON.parse(text) as JsonObject
  if (!isObject(ignored_users)) return NOBODY
  return new Set(Object.keys(ignored_users).flatMap((raw) => parseUserId(raw) ?? []))
}
