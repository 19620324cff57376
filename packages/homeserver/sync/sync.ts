/** GET /sync from within: what changed for a user since a token, waiting for something if nothing did. */
import { createSlices } from '@holdfast/platform/clock/slices'
import { passesRoomFilter } from '@holdfast/protocol/filter/match'
import type { Filter } from '@holdfast/protocol/filter/filter'
import { ignoredUsers } from '../account-data/ignored-users.ts'
import type { Requester } from '../accounts/requester.ts'
import type { Homeserver } from '../homeserver.ts'
import { clientEvents } from '../rooms/client-events.ts'
import { departurePosition } from '../rooms/room-view.ts'
import type { UserMembership } from '../rooms/user-memberships.ts'
import { visibleEvents } from '../rooms/visible-events.ts'
import { globalParts, roomExtras, toDevicePart, type GlobalParts } from './sync-parts.ts'
import { changedRooms, type ChangedRoom } from './changed-rooms.ts'
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
}

/** The answer as JSON text. */
export async function sync(deps: Homeserver, requester: Requester, request: SyncRequest): Promise<string> {
  using subscription = deps.streams.subscribe(requester.userNid)
  const deadlineMs = deps.clock.monotonicMs() + request.timeoutMs
  for (;;) {
    const answer = await answerNow(deps, requester, request)
    const timeoutMs = deadlineMs - deps.clock.monotonicMs()
    const answersAtOnce = request.since === undefined || request.fullState
    if (answersAtOnce || !answer.isEmpty || timeoutMs <= 0 || request.signal.aborted) return answer.text
    await subscription.wait({ timeoutMs, signal: request.signal })
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
  const parts = [...(await globalParts(context, memberships)), ...toDevice.parts]
  return {
    text: `{"next_batch":"${syncToken(upTo, toDevice.end)}"${rooms}${globalText(parts)}}`,
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
  for (const room of await changedRooms(context, memberships)) {
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
    case 'ban': {
      const departure = await departurePosition(deps, membership)
      if (departure === undefined || isRefusal(context, membership, departure)) return removalText(context, membership)
      return roomSection({ context, membership }, { since, upTo: departure, isAnother }, NO_EXTRAS)
    }
    case 'invite':
    case 'knock': {
      const member = (await deps.events.byNid(membership.eventNid))!
      if (membership.membership === 'invite' && context.ignored.has(member.pdu.sender)) return undefined
      const events = (await strippedState(deps, member)).join(',')
      return `{"${membership.membership}_state":{"events":[${events}]}}`
    }
  }
}

/** Whether the client knows of the departure, and what is new is that something else ended. */
function isRefusal({ since }: SyncContext, { position }: UserMembership, departure: number): boolean {
  return since !== undefined && departure <= since && position > since
}

/** Who was out of the room already learns that an invitation or a knock is over, and nothing else of the room. */
async function removalText(context: SyncContext, membership: UserMembership): Promise<string | undefined> {
  const { deps, requester } = context
  if (context.since !== undefined && membership.position <= context.since) return undefined
  const event = (await deps.events.byNid(membership.eventNid))!
  const visible = await visibleEvents(deps, requester, [event])
  if (visible.length === 0) return undefined
  const texts = await clientEvents(deps, visible, { reader: requester, room: 'without-room-id' })
  const timeline = `{"events":[${texts.join('')}],"limited":false,"prev_batch":"${streamToken(event.position - 1)}"}`
  return `{"timeline":${timeline},"state":{"events":[]},"account_data":{"events":[]}}`
}

const NO_EXTRAS = { ephemeral: [], accountData: [] }
