/** Which events of a room a user may read. Every path that hands events to clients goes through here. */
import type { UserId } from '@holdfast/protocol/ids/brand'
import { stateMapGet } from '@holdfast/protocol/state/state-map'
import {
  mayReadEvent,
  parseHistoryVisibility,
  parseMembership,
  type HistoryVisibility,
  type Membership,
} from '@holdfast/protocol/visibility/history-visibility'
import type { Homeserver } from '../homeserver.ts'
import { EVENT_FLAGS, stateKeyHistory } from '../storage/events.ts'
import { departurePosition } from './departure.ts'
import type { StoredEvent } from './event-store.ts'
import { isIdleRedaction } from './idle-redactions.ts'

export type ReadDeps = Pick<
  Homeserver,
  'db' | 'events' | 'states' | 'dictionary' | 'heads' | 'memberships' | 'accounts'
>

export type EventReaderUser = { readonly userId: UserId; readonly userNid: number }

/** Memberships of one user looked through for the newest join; who came and went more often than that is read as never joined before. */
const MEMBERSHIP_HISTORY_MAX = 1_000

/** Answers for many events of one room and one reader; what it looks up it remembers. */
export type EventVisibility = { mayRead(event: StoredEvent): Promise<boolean> }

export async function eventVisibility(
  deps: ReadDeps,
  roomNid: number,
  reader: EventReaderUser,
): Promise<EventVisibility> {
  const visibilityKey = await deps.dictionary.stateKeyNid({ type: 'm.room.history_visibility', stateKey: '' })
  const memberKey = await deps.dictionary.stateKeyNid({ type: 'm.room.member', stateKey: reader.userId })
  const joinedLast = await lastJoinedPosition(deps, { roomNid, memberKey, userNid: reader.userNid })
  const atStates = new Map<number, { visibility: HistoryVisibility; membership: Membership | undefined }>()

  async function contentAt(stateNid: number, keyNid: number | undefined): Promise<StoredEvent | undefined> {
    if (keyNid === undefined) return undefined
    const eventNid = stateMapGet((await deps.states.load(stateNid)).map, keyNid)
    return eventNid === undefined ? undefined : deps.events.byNid(eventNid)
  }

  async function atState(
    stateNid: number,
  ): Promise<{ visibility: HistoryVisibility; membership: Membership | undefined }> {
    let at = atStates.get(stateNid)
    if (at === undefined) {
      at = {
        visibility: parseHistoryVisibility((await contentAt(stateNid, visibilityKey))?.pdu.content),
        membership: parseMembership((await contentAt(stateNid, memberKey))?.pdu.content),
      }
      atStates.set(stateNid, at)
    }
    return at
  }

  async function replaced(event: StoredEvent): Promise<StoredEvent | undefined> {
    return event.replacesNid === undefined ? undefined : deps.events.byNid(event.replacesNid)
  }

  /** What is refused reaches no client, except what a state resolution brought into the state. server-server-api/#soft-failure */
  async function isRefused(event: StoredEvent): Promise<boolean> {
    if ((event.flags & EVENT_FLAGS.rejected) !== 0) return true
    if ((event.flags & EVENT_FLAGS.softFailed) === 0) return false
    if (event.stateKeyNid === undefined) return true
    const { state } = await deps.heads.byNid(event.roomNid)
    return stateMapGet(state.map, event.stateKeyNid) !== event.nid
  }

  return {
    mayRead: async (event) => {
      if ((await isRefused(event)) || (await isIdleRedaction(deps, event))) return false
      // The stored state is the one after the event; what the event itself replaced gives the one before.
      const after = await atState(event.stateNid)
      const base = { joinedAfterEvent: event.position < joinedLast }
      if (event.stateKeyNid !== undefined && event.stateKeyNid === visibilityKey) {
        return mayReadEvent({
          ...base,
          historyVisibilityAtEvent: parseHistoryVisibility((await replaced(event))?.pdu.content),
          historyVisibilitySet: parseHistoryVisibility(event.pdu.content),
          membershipAtEvent: after.membership,
        })
      }
      if (event.stateKeyNid !== undefined && event.stateKeyNid === memberKey) {
        const membershipSet = parseMembership(event.pdu.content)
        return mayReadEvent({
          ...base,
          historyVisibilityAtEvent: after.visibility,
          membershipAtEvent: parseMembership((await replaced(event))?.pdu.content),
          ...(membershipSet === undefined ? {} : { membershipSet }),
        })
      }
      return mayReadEvent({ ...base, historyVisibilityAtEvent: after.visibility, membershipAtEvent: after.membership })
    },
  }
}

/** Those of the events that the reader may see, in their order. All are of one room. */
export async function visibleEvents(
  deps: ReadDeps,
  reader: EventReaderUser,
  events: readonly StoredEvent[],
): Promise<readonly StoredEvent[]> {
  if (events.length === 0) return events
  const visibility = await eventVisibility(deps, events[0]!.roomNid, reader)
  const visible: StoredEvent[] = []
  for (const event of events) if (await visibility.mayRead(event)) visible.push(event)
  return visible
}

/**
 * Where the user was last joined: infinite while they are, -infinite if they never were. Not where their newest join is: events of
 * another branch, on which they had not joined, came and were read while they were in the room.
 */
async function lastJoinedPosition(
  deps: ReadDeps,
  who: { readonly roomNid: number; readonly memberKey: number | undefined; readonly userNid: number },
): Promise<number> {
  const membership = (await deps.memberships.of(who.userNid)).get(who.roomNid)
  if (membership?.membership === 'join') return Infinity
  const departure = membership === undefined ? undefined : await departurePosition(deps, membership)
  if (departure !== undefined) return departure
  if (who.memberKey === undefined) return -Infinity
  const rows = await stateKeyHistory(deps.db, {
    roomNid: who.roomNid,
    stateKeyNid: who.memberKey,
    limit: MEMBERSHIP_HISTORY_MAX,
  })
  const history = await deps.events.fromRows(rows)
  return history.find((event) => event.pdu.content['membership'] === 'join')?.position ?? -Infinity
}
