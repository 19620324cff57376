/** Account data in a sync: read once for each answer, for all rooms. */
import { passesEventFilter, passesNothing, passesRoomEventFilter } from '@holdfast/protocol/filter/match'
import type { JsonValue } from '@holdfast/protocol/json/value'
import { defaultPushRules } from '@holdfast/protocol/push/default-rules'
import { accountDataEventText, NO_ROOM } from '../account-data/account-data.ts'
import { accountDataChanges, accountDataOfRoom, type AccountDataRow } from '../storage/account-data.ts'
import type { SyncContext } from './sync-context.ts'

type RowsByRoom = ReadonlyMap<number, readonly AccountDataRow[]>

const NO_ROWS: RowsByRoom = new Map()
const changes = new WeakMap<SyncContext, Promise<RowsByRoom>>()

/** What changed for the user since the token, by room. */
function changesOf(context: SyncContext): Promise<RowsByRoom> {
  let loading = changes.get(context)
  if (loading === undefined) {
    loading = loadChanges(context)
    changes.set(context, loading)
  }
  return loading
}

async function loadChanges({ deps, requester, since, upTo }: SyncContext): Promise<RowsByRoom> {
  const { userNid } = requester
  if (since !== undefined && deps.streams.userPosition(userNid) <= since) return NO_ROWS
  const rows = await accountDataChanges(deps.db, { userNid, after: since ?? 0, upTo })
  return Map.groupBy(rows, (row) => row.room_nid)
}

/** Of the user as a whole, as JSON texts. */
export async function globalAccountData(context: SyncContext): Promise<readonly string[]> {
  const { filter } = context
  if (passesNothing(filter.accountData)) return []
  const rows = (await changesOf(context)).get(NO_ROOM) ?? []
  const passing = rows.filter((row) => passesEventFilter(filter.accountData, { type: row.type }))
  return passing.map(accountDataEventText)
}

/** The push rules, which are account data of everybody's from the beginning. */
export function pushRulesEvent({ filter, since, requester }: SyncContext): readonly string[] {
  const isShown = !passesNothing(filter.accountData) && passesEventFilter(filter.accountData, { type: 'm.push_rules' })
  if (since !== undefined || !isShown) return []
  return [JSON.stringify({ type: 'm.push_rules', content: { global: defaultPushRules(requester.userId) } })]
}

/** Of one room; whole where the client has nothing of the room. */
export async function roomAccountData(
  context: SyncContext,
  room: { readonly roomNid: number; readonly roomId: string; readonly since: number | undefined },
): Promise<readonly string[]> {
  const filter = context.filter.room.accountData
  if (passesNothing(filter)) return []
  const { roomId } = room
  // Without a condition on the content it need not be parsed.
  const contentOf = (row: AccountDataRow): JsonValue =>
    filter.containsUrl === undefined ? {} : (JSON.parse(row.content) as JsonValue)
  return (await rowsOfRoom(context, room))
    .filter((row) => passesRoomEventFilter(filter, { type: row.type, roomId, content: contentOf(row) }))
    .map(accountDataEventText)
}

async function rowsOfRoom(
  context: SyncContext,
  { roomNid, since }: { readonly roomNid: number; readonly since: number | undefined },
): Promise<readonly AccountDataRow[]> {
  const isWhole = since === undefined && context.since !== undefined
  if (!isWhole) return (await changesOf(context)).get(roomNid) ?? []
  const rows = await accountDataOfRoom(context.deps.db, { userNid: context.requester.userNid, roomNid })
  return rows.filter((row) => row.position <= context.upTo)
}
