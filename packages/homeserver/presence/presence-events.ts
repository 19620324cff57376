/** `m.presence` events of a sync. <https://spec.matrix.org/v1.19/client-server-api/#mpresence> */
import { passesEventFilter, passesNothing } from '@holdfast/protocol/filter/match'
import { serverNameOf } from '@holdfast/protocol/ids/common'
import type { UserId } from '@holdfast/protocol/ids/brand'
import type { UserMembership } from '../rooms/user-memberships.ts'
import { presenceChanges, presenceRows, type PresenceRow } from '../storage/presence.ts'
import type { SyncContext } from '../sync/sync-context.ts'
import { presenceContent } from './presence-content.ts'
import { sharingRooms } from './shared-rooms.ts'
import type { Presence } from './tracker.ts'

type Memberships = ReadonlyMap<number, UserMembership>
type Person = { readonly userNid: number; readonly presence: Presence }

/** Told at once; of more, those whose presence changed last. */
const EVENTS_MAX = 1_000

/** New faces up to so many are told of even if they are offline. */
const OFFLINE_TOLD_MAX = 100

const NEVER_SEEN: Presence = { state: 'offline', statusMessage: undefined, lastActiveMs: undefined }

/** What the reader may know of others and has not been told, as JSON texts. */
export async function presenceEvents(context: SyncContext, memberships: Memberships): Promise<readonly string[]> {
  const { deps, filter, since } = context
  if (!deps.presence.isEnabled || passesNothing(filter.presence)) return []
  if (since === undefined) return texts(context, await presentPeople(context, memberships))
  const joins = deps.recentJoins.since(since)
  const isQuiet = joins?.length === 0 && !deps.presence.mayHaveChanged(since)
  return isQuiet ? [] : texts(context, await peopleSince(context, memberships, since))
}

/** Of the members of a room that the reader is in, also of those who are offline, as JSON texts. */
export async function memberPresence(context: SyncContext, members: Iterable<number>): Promise<readonly string[]> {
  const { deps } = context
  if (!deps.presence.isEnabled) return []
  const userNids = [...Iterator.from(members).take(EVENTS_MAX)]
  const rows = new Map((await presenceRows(deps.db, userNids)).map((row) => [row.user_nid, row]))
  const presenceOf = (row: PresenceRow | undefined): Presence =>
    row === undefined ? NEVER_SEEN : deps.presence.ofRow(row)
  return texts(
    context,
    userNids.map((userNid) => ({ userNid, presence: presenceOf(rows.get(userNid)) })),
  )
}

/** Everybody who is not offline and shares a room, and the reader: users learn how others see them from the beginning. */
async function presentPeople(context: SyncContext, memberships: Memberships): Promise<readonly Person[]> {
  const { deps, requester } = context
  const { userNid } = requester
  const people = peopleOf(context, await rowsOf(context, memberships, deps.presence.present))
  if (people.some((person) => person.userNid === userNid)) return people
  // Who was never active is so by asking.
  const own = await deps.presence.of(userNid)
  return [...people, { userNid, presence: { ...own, lastActiveMs: own.lastActiveMs ?? deps.clock.nowMs() } }]
}

/** Whose presence changed since the token, and who shares a room only since then. */
async function peopleSince(context: SyncContext, memberships: Memberships, since: number): Promise<readonly Person[]> {
  const { deps, upTo } = context
  const rows = await presenceChanges(deps.db, { after: since, upTo, limit: EVENTS_MAX })
  const changed = await allowed(context, memberships, rows)
  const known = new Set(changed.map((row) => row.user_nid))
  const met = await newlyShared(context, memberships, since)
  const rowsMet = (await rowsOf(context, memberships, met)).filter((row) => !known.has(row.user_nid))
  for (const { user_nid } of rowsMet) known.add(user_nid)
  const neverSeen = [...met].filter((userNid) => !known.has(userNid) && userNid !== context.requester.userNid)
  return [
    ...peopleOf(context, [...changed, ...rowsMet]),
    ...neverSeen.map((userNid) => ({ userNid, presence: NEVER_SEEN })),
  ]
}

function peopleOf({ deps }: SyncContext, rows: readonly PresenceRow[]): readonly Person[] {
  return rows.map((row) => ({ userNid: row.user_nid, presence: deps.presence.ofRow(row) }))
}

/** Of some users those who share a room, as they are now; the last changed first. */
async function rowsOf(
  { deps, requester }: SyncContext,
  memberships: Memberships,
  users: ReadonlySet<number>,
): Promise<readonly PresenceRow[]> {
  const shared = new Set(await sharingRooms(deps, memberships, users))
  if (users.has(requester.userNid)) shared.add(requester.userNid)
  if (shared.size === 0) return []
  const rows = await presenceRows(deps.db, [...shared])
  return rows.toSorted((a, b) => b.position - a.position).slice(0, EVENTS_MAX)
}

async function allowed(
  { deps, requester }: SyncContext,
  memberships: Memberships,
  rows: readonly PresenceRow[],
): Promise<readonly PresenceRow[]> {
  const shared = await sharingRooms(deps, memberships, new Set(rows.map((row) => row.user_nid)))
  return rows.filter((row) => shared.has(row.user_nid) || row.user_nid === requester.userNid)
}

/** Who is in a room together with the reader since the token: one of them joined. Of many those who are not offline. */
async function newlyShared(
  { deps, requester }: SyncContext,
  memberships: Memberships,
  since: number,
): Promise<ReadonlySet<number>> {
  const { present } = deps.presence
  const joins = deps.recentJoins.since(since)
  if (joins === undefined) return present
  const met = new Set<number>()
  for (const { userNid, roomNid } of joins) {
    if (memberships.get(roomNid)?.membership !== 'join') continue
    if (userNid !== requester.userNid) met.add(userNid)
    else for (const member of (await deps.heads.byNid(roomNid)).members.joined) met.add(member)
  }
  return met.size <= OFFLINE_TOLD_MAX ? met : new Set([...met].filter((userNid) => present.has(userNid)))
}

async function texts(context: SyncContext, people: readonly Person[]): Promise<readonly string[]> {
  const { deps, filter, ignored } = context
  const userIds = await deps.dictionary.userIds(people.map(({ userNid }) => userNid))
  const nowMs = deps.clock.nowMs()
  // Of users of other servers only what their server said is known.
  const isKnown = (userId: UserId, { lastActiveMs }: Presence): boolean =>
    serverNameOf(userId) === deps.serverName || lastActiveMs !== undefined
  const passes = (userId: UserId): boolean =>
    !ignored.has(userId) && passesEventFilter(filter.presence, { type: 'm.presence', sender: userId })
  return people
    .map(({ presence }, index) => ({ userId: userIds[index]!, presence }))
    .filter(({ userId, presence }) => isKnown(userId, presence) && passes(userId))
    .map(({ userId, presence }) => eventText(userId, presenceContent(presence, nowMs)))
}

/** `user_id` is for clients of 2018: their specification has it in the content. */
function eventText(userId: UserId, content: object): string {
  return JSON.stringify({ type: 'm.presence', sender: userId, content: { user_id: userId, ...content } })
}
