/** The event stream and snapshots of clients from before /sync. <https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3events> */
import { EMPTY_FILTER } from '@holdfast/protocol/filter/filter'
import type { RoomId } from '@holdfast/protocol/ids/brand'
import type { JsonObject } from '@holdfast/protocol/json/value'
import { ignoredUsers } from '../account-data/ignored-users.ts'
import type { Requester } from '../accounts/requester.ts'
import type { WatchedSession } from '../accounts/watch-session.ts'
import type { Homeserver } from '../homeserver.ts'
import { memberPresence } from '../presence/presence-events.ts'
import type { StoredEvent } from '../rooms/event-store.ts'
import { messagePage } from '../rooms/messages.ts'
import { allStateEvents } from '../rooms/current-state.ts'
import { departurePosition } from '../rooms/departure.ts'
import { roomView, type RoomView } from '../rooms/room-view.ts'
import type { UserMembership } from '../rooms/user-memberships.ts'
import { publishedRoom } from '../storage/published-rooms.ts'
import { changedRooms, type ChangedRoom } from './changed-rooms.ts'
import type { SyncContext } from './sync-context.ts'
import { ephemeralEvents } from './ephemeral-part.ts'
import { oldEvents, withRoomId } from './old-format.ts'
import { globalParts, roomExtras } from './sync-parts.ts'
import { streamToken } from './sync-token.ts'
import { loadTimeline } from './timeline.ts'
import { consistentView } from './view.ts'

export type StreamRequest = {
  readonly from: number
  readonly timeoutMs: number
  readonly signal: AbortSignal
  /** A room to look into without being in it, if it is world-readable. */
  readonly roomId: RoomId | undefined
  readonly session: WatchedSession
}

/** Events of one room in one answer; what did not fit is in the next one. */
const CHUNK_PER_ROOM_MAX = 100

/** Everything new in all of the user's rooms, as one list in JSON text; waits for something to happen. */
export async function eventStream(deps: Homeserver, requester: Requester, request: StreamRequest): Promise<string> {
  const peeked = request.roomId === undefined ? undefined : await deps.heads.roomNid(request.roomId)
  using subscription = deps.streams.subscribe(requester.userNid, peeked === undefined ? undefined : { roomNid: peeked })
  const deadlineMs = deps.clock.monotonicMs() + request.timeoutMs
  const { from } = request
  for (;;) {
    const { upTo, memberships } = await consistentView(deps, requester)
    const context = await plainContext(deps, requester, { since: Math.min(from, upTo), upTo })
    const { chunk, end } = await streamChunk(context, memberships, request.roomId)
    const timeoutMs = deadlineMs - deps.clock.monotonicMs()
    if (chunk.length > 0 || end < upTo || timeoutMs <= 0 || request.signal.aborted) {
      return `{"start":"${streamToken(from)}","end":"${streamToken(end)}","chunk":[${chunk.join(',')}]}`
    }
    await subscription.wait({ timeoutMs, signal: request.signal })
    if (await request.session.goesOn()) continue
    return `{"start":"${streamToken(from)}","end":"${streamToken(end)}","chunk":[]}`
  }
}

async function plainContext(
  deps: Homeserver,
  requester: Requester,
  span: { readonly since: number | undefined; readonly upTo: number },
): Promise<SyncContext> {
  const ignored = await ignoredUsers(deps, requester.userNid)
  return { deps, requester, ...span, filter: EMPTY_FILTER, fullState: false, useStateAfter: false, ignored }
}

/** Part of a room's timeline that is news for the user, oldest first. */
type RoomSpan = { readonly roomNid: number; readonly after: number; readonly upTo: number }

/** In the order of the stream, up to `end`; with what has no place in that order if nothing had to wait. */
async function streamChunk(
  context: SyncContext,
  memberships: ReadonlyMap<number, UserMembership>,
  peeked: RoomId | undefined,
): Promise<{ readonly chunk: readonly string[]; readonly end: number }> {
  const { deps, requester, upTo } = context
  const changed = await changedRooms(context, memberships)
  const spans = await Promise.all([
    ...changed.map((room) => spanOf(context, room)),
    peekedSpan(context, memberships, peeked),
  ])
  let end = upTo
  const found: StoredEvent[] = []
  for (const span of spans) {
    if (span === undefined) continue
    const page = await newEvents(context, span)
    found.push(...page.events)
    end = Math.min(end, page.end)
  }
  found.push(...(await newInvitations(context, changed)))
  const events = found.filter(({ position }) => position <= end).sort((a, b) => a.position - b.position)
  const chunk: string[] = []
  for (const event of events) chunk.push(...(await oldEvents(deps, [event], { reader: requester })))
  if (end < upTo) return { chunk, end }
  for (const room of changed) chunk.push(...(await extrasOf(context, room)))
  const looking = spans.at(-1)
  if (looking !== undefined) chunk.push(...(await ephemeralOf(context, looking)))
  chunk.push(...(await globalEvents(context, memberships, 'account_data')))
  chunk.push(...(await globalEvents(context, withRoom(memberships, looking), 'presence')))
  return { chunk, end }
}

async function newEvents(
  context: SyncContext,
  { roomNid, after, upTo }: RoomSpan,
): Promise<{ readonly events: readonly StoredEvent[]; readonly end: number }> {
  const { deps, filter, ignored, requester } = context
  const room = { head: { roomNid }, upTo }
  const query = { direction: 'f', from: after, to: undefined, limit: CHUNK_PER_ROOM_MAX, ignored } as const
  const page = await messagePage(deps, requester, room, { ...query, filter: filter.room.timeline })
  return { events: page.events, end: page.next === undefined || page.next >= upTo ? context.upTo : page.next }
}

async function spanOf(context: SyncContext, { membership, since }: ChangedRoom): Promise<RoomSpan> {
  const isJoined = membership.membership === 'join'
  return {
    roomNid: membership.roomNid,
    // Who was not in the room at the token is told of the event that changed this, not of what was before.
    after: since ?? (await firstJoin(context, membership)) - 1,
    upTo: isJoined ? context.upTo : membership.position,
  }
}

/** Position of the first event after the token by which the user came into the room, or of the membership itself. */
async function firstJoin({ deps, since }: SyncContext, membership: UserMembership): Promise<number> {
  let first = membership.position
  let event = await deps.events.byNid(membership.eventNid)
  while (event !== undefined && event.position > (since ?? 0)) {
    if (event.pdu.content['membership'] === 'join') first = event.position
    event = event.replacesNid === undefined ? undefined : await deps.events.byNid(event.replacesNid)
  }
  return first
}

/** A room that the user only looks into. */
async function peekedSpan(
  { deps, requester, since, upTo }: SyncContext,
  memberships: ReadonlyMap<number, UserMembership>,
  roomId: RoomId | undefined,
): Promise<RoomSpan | undefined> {
  if (roomId === undefined) return undefined
  const { head } = await roomView(deps, requester, roomId)
  if (memberships.get(head.roomNid)?.membership === 'join') return undefined
  return { roomNid: head.roomNid, after: since ?? upTo, upTo }
}

/** The member events by which the user is asked in, or asks: of the room they may read nothing else yet. */
async function newInvitations({ deps, ignored }: SyncContext, changed: readonly ChangedRoom[]): Promise<StoredEvent[]> {
  const found: StoredEvent[] = []
  for (const { membership } of changed) {
    if (membership.membership !== 'invite' && membership.membership !== 'knock') continue
    const event = (await deps.events.byNid(membership.eventNid))!
    if (!ignored.has(event.pdu.sender)) found.push(event)
  }
  return found
}

async function extrasOf(context: SyncContext, { membership, since }: ChangedRoom): Promise<readonly string[]> {
  if (membership.membership !== 'join') return []
  const { roomId } = await context.deps.events.room(membership.roomNid)
  const { accountData, ephemeral } = await roomExtras(context, membership, since ?? membership.position)
  return [...ephemeral, ...accountData].map((text) => withRoomId(text, roomId))
}

/** Who types and who has read, in a room that the user only looks into. */
async function ephemeralOf(context: SyncContext, { roomNid, after }: RoomSpan): Promise<readonly string[]> {
  const { roomId } = await context.deps.events.room(roomNid)
  const texts = await ephemeralEvents(context, { roomNid, roomId, since: after })
  return texts.map((text) => withRoomId(text, roomId))
}

/** As if the user were in the room that they look into: its members are not hidden from them. */
function withRoom(
  memberships: ReadonlyMap<number, UserMembership>,
  looking: RoomSpan | undefined,
): ReadonlyMap<number, UserMembership> {
  if (looking === undefined) return memberships
  const { roomNid } = looking
  return new Map([...memberships, [roomNid, { roomNid, membership: 'join', eventNid: 0, position: 0 }]])
}

/** The events of a top-level part of /sync. */
async function globalEvents(
  context: SyncContext,
  memberships: ReadonlyMap<number, UserMembership>,
  name: string,
): Promise<readonly string[]> {
  const part = (await globalParts(context, memberships, 'without-push-rules')).find(([other]) => other === name)
  if (part === undefined) return []
  const { events } = JSON.parse(part[1]) as { events: readonly JsonObject[] }
  return events.map((event) => JSON.stringify(event))
}

export type SnapshotRequest = { readonly limit: number; readonly archived: boolean }

/** All of the user's rooms at once, in JSON text. */
export async function snapshot(deps: Homeserver, requester: Requester, request: SnapshotRequest): Promise<string> {
  const { upTo, memberships } = await consistentView(deps, requester)
  const context = await plainContext(deps, requester, { since: undefined, upTo })
  const rooms: string[] = []
  const receipts: string[] = []
  for (const membership of memberships.values()) {
    const isGone = membership.membership === 'leave' || membership.membership === 'ban'
    // Who refused an invitation has nothing to look back at.
    if (isGone && (!request.archived || (await departurePosition(deps, membership)) === undefined)) continue
    const { roomId } = await deps.events.room(membership.roomNid)
    rooms.push(await snapshotOf(context, membership, roomId, request))
    if (membership.membership !== 'join') continue
    const { ephemeral } = await roomExtras(context, membership, undefined)
    receipts.push(...ephemeral.filter((text) => isReceipt(text)).map((text) => withRoomId(text, roomId)))
  }
  const presence = await globalEvents(context, memberships, 'presence')
  const accountData = await globalEvents(context, memberships, 'account_data')
  return (
    `{"end":"${streamToken(upTo)}","rooms":[${rooms.join(',')}],"presence":[${presence.join(',')}],` +
    `"receipts":[${receipts.join(',')}],"account_data":[${accountData.join(',')}]}`
  )
}

function isReceipt(text: string): boolean {
  return (JSON.parse(text) as JsonObject)['type'] === 'm.receipt'
}

async function snapshotOf(
  context: SyncContext,
  membership: UserMembership,
  roomId: RoomId,
  request: SnapshotRequest,
): Promise<string> {
  const { deps, requester } = context
  const isVisible = membership.membership !== 'invite' && membership.membership !== 'knock'
  if (!isVisible) {
    const member = (await deps.events.byNid(membership.eventNid))!
    const head = `"room_id":${JSON.stringify(roomId)},"membership":"${membership.membership}"`
    const inviter = membership.membership === 'invite' ? `,"inviter":${JSON.stringify(member.pdu.sender)}` : ''
    const [text] = await oldEvents(deps, [member], { reader: requester })
    return `{${head}${inviter},"invite":${text!}}`
  }
  const view = await roomView(deps, requester, roomId)
  return roomSnapshot(context, { view, membership: membership.membership, limit: request.limit })
}

/** One room: messages, state, account data and receipts. */
export async function roomSnapshot(
  context: SyncContext,
  room: { readonly view: RoomView; readonly membership: string; readonly limit: number },
): Promise<string> {
  const { deps, requester } = context
  const { head, state, upTo } = room.view
  const end = Math.min(upTo, context.upTo)
  const timeline = await loadTimeline(deps, {
    roomNid: head.roomNid,
    reader: requester,
    ignored: context.ignored,
    after: Number.MIN_SAFE_INTEGER,
    upTo: end,
    limit: room.limit,
    filter: context.filter.room.timeline,
    leadingTo: undefined,
  })
  const chunk = await oldEvents(deps, timeline.events, { reader: requester })
  const stateTexts = await oldEvents(deps, await allStateEvents(deps, state), { reader: requester, as: 'state' })
  const visibility = (await publishedRoom(deps.db, head.roomNid)) === undefined ? 'private' : 'public'
  const membership = (await deps.memberships.of(requester.userNid)).get(head.roomNid)
  // Receipts go on after the user has left: only members get them.
  const extras = membership?.membership === 'join' ? await roomExtras(context, membership, undefined) : undefined
  return (
    `{"room_id":${JSON.stringify(head.roomId)},"membership":"${room.membership}","visibility":"${visibility}",` +
    `"messages":{"start":"${streamToken(timeline.start)}","end":"${streamToken(end)}","chunk":[${chunk.join(',')}]},` +
    `"state":[${stateTexts.join(',')}],"account_data":[${extras?.accountData.join(',') ?? ''}],` +
    `"receipts":[${extras?.ephemeral.filter(isReceipt).join(',') ?? ''}]}`
  )
}

/** The snapshot of one room, with the presence of those in it. */
export async function snapshotOfRoom(
  deps: Homeserver,
  requester: Requester,
  request: { readonly roomId: RoomId; readonly limit: number },
): Promise<string> {
  const { upTo, memberships } = await consistentView(deps, requester)
  const view = await roomView(deps, requester, request.roomId)
  const context = await plainContext(deps, requester, { since: undefined, upTo })
  const membership = memberships.get(view.head.roomNid)?.membership ?? 'leave'
  const text = await roomSnapshot(context, { view, membership, limit: request.limit })
  const presence = view.as === 'member' ? await memberPresence(context, view.head.members.joined) : []
  return `${text.slice(0, -1)},"presence":[${presence.join(',')}]}`
}
