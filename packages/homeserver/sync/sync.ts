/** GET /sync from within: what changed for a user since a token, waiting for something if nothing did. */
import { createSlices } from '@holdfast/platform/clock/slices'
import { passesRoomFilter } from '@holdfast/protocol/filter/match'
import type { Filter } from '@holdfast/protocol/filter/filter'
import { ignoredUsers } from '../account-data/ignored-users.ts'
import type { Requester } from '../accounts/requester.ts'
import type { WatchedSession } from '../accounts/watch-session.ts'
import type { Homeserver } from '../homeserver.ts'
import { clientEvents } from '../rooms/client-events.ts'
import { departureAfter, departurePosition } from '../rooms/departure.ts'
import type { StoredEvent } from '../rooms/event-store.ts'
import { membershipsBack } from '../rooms/membership-history.ts'
import type { UserMembership } from '../rooms/user-memberships.ts'
import { globalParts, roomExtras, toDevicePart, type GlobalParts } from './sync-parts.ts'
import { changedRooms, type ChangedRoom } from './changed-rooms.ts'
import { deviceListsPart, keyCountParts } from './e2e-part.ts'
import { forgottenRooms } from './forgotten-rooms.ts'
import { roomSection } from './room-section.ts'
import { strippedState } from './stripped-state.ts'
import type { SyncContext } from './sync-context.ts'
import { streamToken, syncToken } from './sync-token.ts'
import { consistentView } from './view.ts'

export type SyncRequest = {
  readonly since: number | undefined
  /** Up to where the client has its to-device messages. */
  readonly toDeviceSince: number | undefined
  readonly filter: Filter
  readonly fullState: boolean
  readonly useStateAfter: boolean
  readonly timeoutMs: number
  readonly signal: AbortSignal
  readonly session: WatchedSession
}

/** The answer as JSON text. @throws {MatrixError} M_UNKNOWN_TOKEN if the user is logged out meanwhile */
export async function sync(deps: Homeserver, requester: Requester, request: SyncRequest): Promise<string> {
  using subscription = deps.streams.subscribe(requester.userNid)
  const deadlineMs = deps.clock.monotonicMs() + request.timeoutMs
  for (;;) {
    const answer = await answerNow(deps, requester, request)
    const timeoutMs = deadlineMs - deps.clock.monotonicMs()
    const answersAtOnce = request.since === undefined || request.fullState
    if (answersAtOnce || !answer.isEmpty || timeoutMs <= 0 || request.signal.aborted) return answer.text
    await subscription.wait({ timeoutMs, signal: request.signal })
    if (!(await request.session.goesOn())) return answer.text
  }
}

type SyncAnswer = { readonly text: string; readonly isEmpty: boolean }

async function answerNow(deps: Homeserver, requester: Requester, request: SyncRequest): Promise<SyncAnswer> {
  const { upTo, memberships } = await consistentView(deps, requester)
  const context: SyncContext = {
    deps,
    requester,
    // A token from a future that this server has lost, as after restoring a backup: the client begins anew.
    since: request.since !== undefined && request.since > upTo ? undefined : request.since,
    upTo,
    filter: request.filter,
    fullState: request.fullState,
    useStateAfter: request.useStateAfter,
    ignored: await ignoredUsers(deps, requester.userNid),
  }
  const rooms = await roomsText(context, memberships)
  const toDevice = await toDevicePart(context, context.since === undefined ? undefined : request.toDeviceSince)
  const lists = await deviceListsPart(context, memberships)
  const parts = [...(await globalParts(context, memberships, 'with-push-rules')), ...toDevice.parts, ...lists]
  const counts = await keyCountParts(context)
  return {
    text: `{"next_batch":"${syncToken(upTo, toDevice.end)}"${rooms}${globalText([...parts, ...counts])}}`,
    isEmpty: rooms === '' && parts.length === 0,
  }
}

function globalText(parts: GlobalParts): string {
  return parts.map(([name, text]) => `,"${name}":${text}`).join('')
}

/** `,"rooms":{...}`, or nothing. */
async function roomsText(context: SyncContext, memberships: ReadonlyMap<number, UserMembership>): Promise<string> {
  const sections: Record<SectionName, string[]> = { join: [], invite: [], knock: [], leave: [] }
  const slice = createSlices(context.deps.clock)
  for (const room of [...(await changedRooms(context, memberships)), ...(await forgottenRooms(context))]) {
    await slice()
    const { roomId } = await context.deps.events.room(room.membership.roomNid)
    if (!passesRoomFilter(context.filter.room, roomId)) continue
    const text = await sectionText(context, room)
    if (text !== undefined) sections[SECTIONS[room.membership.membership]].push(`${JSON.stringify(roomId)}:${text}`)
  }
  const texts = Object.entries(sections).filter(([, rooms]) => rooms.length > 0)
  if (texts.length === 0) return ''
  return `,"rooms":{${texts.map(([name, rooms]) => `"${name}":{${rooms.join(',')}}`).join(',')}}`
}

type SectionName = 'join' | 'invite' | 'knock' | 'leave'
const SECTIONS = { join: 'join', invite: 'invite', knock: 'knock', leave: 'leave', ban: 'leave' } as const

async function sectionText(context: SyncContext, room: ChangedRoom): Promise<string | undefined> {
  const { deps } = context
  const { membership, since, isAnother } = room
  switch (membership.membership) {
    case 'join': {
      const extras = await roomExtras(context, membership, since)
      return roomSection({ context, membership }, { since, upTo: context.upTo, isAnother }, extras)
    }
    case 'leave':
    case 'ban':
      return goneText(context, room)
    case 'invite':
    case 'knock': {
      const member = (await deps.events.byNid(membership.eventNid))!
      if (membership.membership === 'invite' && context.ignored.has(member.pdu.sender)) return undefined
      const events = (await strippedState(deps, member)).join(',')
      return `{"${membership.membership}_state":{"events":[${events}]}}`
    }
  }
}

/** A room that the user is out of: up to where they left it, and how an invitation or a knock after that ended. */
async function goneText(context: SyncContext, room: ChangedRoom): Promise<string | undefined> {
  const { deps } = context
  const { membership, since, isAnother } = room
  const token = context.since ?? Number.MIN_SAFE_INTEGER
  const departure = await lastDeparture(context, room)
  if (departure !== undefined && (departure > token || membership.position <= token)) {
    return roomSection({ context, membership }, { since, upTo: departure, isAnother }, NO_EXTRAS)
  }
  const end = await endOfInvitation(deps, membership)
  if (end === undefined || end.position <= token) return undefined
  if (departure === undefined || !room.wasAsked) return removalText(context, end)
  return roomSection({ context, membership }, { since, upTo: departure, isAnother, closing: end }, NO_EXTRAS)
}

/** Branches that met may have brought the user back after they had left, and others then took them out again. */
async function lastDeparture({ deps }: SyncContext, { membership, since }: ChangedRoom): Promise<number | undefined> {
  const departure = await departurePosition(deps, membership)
  if (since === undefined || membership.position <= since || (departure ?? since) > since) return departure
  return departureAfter(deps, membership, since)
}

/** The event that ended an invitation or a knock; what follows, as a ban of who is out, is not for them to see. */
async function endOfInvitation(deps: Homeserver, { eventNid }: UserMembership): Promise<StoredEvent | undefined> {
  let end: StoredEvent | undefined
  for await (const { event, membership } of membershipsBack(deps, eventNid)) {
    if (membership === 'join') return undefined
    if (membership !== 'leave' && membership !== 'ban') return end
    end = event
  }
  return undefined
}

/** Tells that an invitation or a knock is over, and nothing else of the room. */
async function removalText(context: SyncContext, end: StoredEvent): Promise<string> {
  const { deps, requester, useStateAfter } = context
  const texts = await clientEvents(deps, [end], { reader: requester, room: 'without-room-id' })
  const timeline = `{"events":[${texts.join('')}],"limited":false,"prev_batch":"${streamToken(end.position - 1)}"}`
  const state = useStateAfter ? 'state_after' : 'state'
  return `{"timeline":${timeline},"${state}":{"events":[]},"account_data":{"events":[]}}`
}

const NO_EXTRAS = { ephemeral: [], accountData: [] }
