/** Account data: what a user's clients keep here, for the user or for a room. <https://spec.matrix.org/v1.19/client-server-api/#client-config> */
import { ExpectationFailed } from '@holdfast/platform/database/database'
import { matrixError } from '@holdfast/protocol/errors'
import type { JsonObject } from '@holdfast/protocol/json/value'
import type { Homeserver } from '../homeserver.ts'
import {
  accountDataRow,
  replaceAccountDataRow,
  setAccountDataRow,
  type AccountDataKey,
  type AccountDataRow,
} from '../storage/account-data.ts'

/** Room nid 0: of the user as a whole. */
export const NO_ROOM = 0

export type AccountDataDeps = Pick<Homeserver, 'db' | 'streams'>

export async function accountDataText(deps: Pick<Homeserver, 'db'>, key: AccountDataKey): Promise<string | undefined> {
  return (await accountDataRow(deps.db, key))?.content
}

export async function setAccountData(deps: AccountDataDeps, key: AccountDataKey, content: JsonObject): Promise<void> {
  await deps.streams.commit([setAccountDataRow(key, JSON.stringify(content))], {
    positions: 1,
    publish: (position) => publishAccountData(deps, key, position),
  })
}

/** Wakes the user's syncs, and has them look at the room. */
export function publishAccountData(
  deps: Pick<Homeserver, 'streams'>,
  { userNid, roomNid }: Pick<AccountDataKey, 'userNid' | 'roomNid'>,
  position: number,
): void {
  deps.streams.userChanged({ userNid, position })
  if (roomNid === NO_ROOM) return
  deps.streams.roomChanged({ roomNid, position, joined: new Set([userNid]), membershipChanged: [] })
}

const UPDATE_TRIES_MAX = 20

/** Changes account data on the basis of what it is; made again if something else changed it meanwhile. */
export async function updateAccountData(
  deps: AccountDataDeps,
  key: AccountDataKey,
  update: (content: JsonObject) => JsonObject,
): Promise<void> {
  for (let tries = 0; tries < UPDATE_TRIES_MAX; tries += 1) {
    const row = await accountDataRow(deps.db, key)
    const content = update(row === undefined ? {} : (JSON.parse(row.content) as JsonObject))
    const change = { content: JSON.stringify(content), fromPosition: row?.position ?? 0 }
    try {
      await deps.streams.commit([replaceAccountDataRow(key, change)], {
        positions: 1,
        publish: (position) => publishAccountData(deps, key, position),
      })
      return
    } catch (error) {
      if (!(error instanceof ExpectationFailed)) throw error
    }
  }
  throw matrixError('M_LIMIT_EXCEEDED', 'This is being changed too often. Try again.', {
    extra: { retry_after_ms: 1000 },
  })
}

/** As it stands in a sync. */
export function accountDataEventText(row: Pick<AccountDataRow, 'type' | 'content'>): string {
  return `{"type":${JSON.stringify(row.type)},"content":${row.content}}`
}
