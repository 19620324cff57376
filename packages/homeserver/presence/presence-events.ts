/** `m.presence` events of a sync. <https://spec.matrix.org/v1.19/client-server-api/#mpresence> */
import { passesEventFilter, passesNothing } from '@holdfast/protocol/filter/match'
import type { UserId } from '@holdfast/protocol/ids/brand'
import type { UserMembership } from '../rooms/user-memberships.ts'
import { presenceChanges, presenceRows, type PresenceRow } from '../storage/presence.ts'
import type { SyncContext } from '../sync/sync-context.ts'
import { presenceContent } from './presence-content.ts'
import { sharingRooms } from './shared-rooms.ts'

type Memberships = ReadonlyMap<number, UserMembership>

/** Told at once; of more, those whose presence changed last. */
const EVENTS_MAX = 1_000

/** What the reader may know of others and has not been told, as JSON texts. */
export async function presenceEvents(context: SyncContext, memberships: Memberships): Promise<readonly string[]> {
  const { deps, filter, since, upTo } = context
  if (!deps.presence.isEnabled || passesNothing(filter.presence)) return []
  if (since === undefined) return texts(context, await presentRows(context, memberships), 'also-self')
  const joins = deps.recentJoins.since(since)
  const isQuiet = joins?.length === 0 && !deps.presence.mayHaveChanged(since)
  if (isQuiet) return []
  const changed = await presenceChanges(deps.db, { after: since, upTo, limit: EVENTS_MAX })
  const met = joins === undefined ? deps.presence.present : await newlyShared(context, memberships, since)
  const shown = await shownRows(context, memberships, changed)
  const known = new Set(shown.map((row) => row.user_nid))
  const alsoMet = (await rowsOf(context, memberships, met)).filter((row) => !known.has(row.user_nid))
  return texts(context, [...shown, ...alsoMet], 'no-more')
}

/** Everybody who is not offline and shares a room. */
function presentRows(context: SyncContext, memberships: Memberships): Promise<readonly PresenceRow[]> {
  return rowsOf(context, memberships, context.deps.presence.present)
}

/** Of some users those who share a room, as they are now. */
async function rowsOf(
  { deps, requester }: SyncContext,
  memberships: Memberships,
  users: ReadonlySet<number>,
): Promise<readonly PresenceRow[]> {
  const shared = new Set(await sharingRooms(deps, memberships, users))
  if (users.has(requester.userNid)) shared.add(requester.userNid)
  if (shared.size === 0) return []
  return newestFirst(await presenceRows(deps.db, [...shared])).slice(0, EVENTS_MAX)
}

function newestFirst(rows: readonly PresenceRow[]): readonly PresenceRow[] {
  return [...rows].sort((a, b) => b.position - a.position)
}

async function shownRows(
  { deps, requester }: SyncContext,
  memberships: Memberships,
  rows: readonly PresenceRow[],
): Promise<readonly PresenceRow[]> {
  const shared = await sharingRooms(deps, memberships, new Set(rows.map((row) => row.user_nid)))
  return rows.filter((row) => shared.has(row.user_nid) || row.user_nid === requester.userNid)
}

/** Who is not offline and in a room together with the reader since the token: one of them joined. */
async function newlyShared(
  { deps, requester }: SyncContext,
  memberships: Memberships,
  since: number,
): Promise<ReadonlySet<number>> {
  const met = new Set<number>()
  for (const { userNid, roomNid } of deps.recentJoins.since(since) ?? []) {
    if (memberships.get(roomNid)?.membership !== 'join') continue
    if (userNid !== requester.userNid) met.add(userNid)
    else for (const member of (await deps.heads.byNid(roomNid)).members.joined) met.add(member)
  }
  return new Set([...met].filter((userNid) => deps.presence.present.has(userNid)))
}

async function texts(
  { deps, filter, ignored, requester }: SyncContext,
  rows: readonly PresenceRow[],
  self: 'also-self' | 'no-more',
): Promise<readonly string[]> {
  const userIds = await deps.dictionary.userIds(rows.map((row) => row.user_nid))
  const nowMs = deps.clock.nowMs()
  const events = rows.map((row, index) => ({ userId: userIds[index]!, presence: deps.presence.ofRow(row) }))
  if (self === 'also-self' && !events.some(({ userId }) => userId === requester.userId)) {
    // Users learn how others see them from the beginning; who was never active is so by asking.
    const own = await deps.presence.of(requester.userNid)
    events.push({ userId: requester.userId, presence: { ...own, lastActiveMs: own.lastActiveMs ?? nowMs } })
  }
  const passes = (userId: UserId): boolean =>
    !ignored.has(userId) && passesEventFilter(filter.presence, { type: 'm.presence', sender: userId })
  return events
    .filter(({ userId }) => passes(userId))
    .map(({ userId, presence }) =>
      // `user_id` is for clients of 2018: their specification has it in the content.
      JSON.stringify({
        type: 'm.presence',
        sender: userId,
        content: { user_id: userId, ...presenceContent(presence, nowMs) },
      }),
    )
}
