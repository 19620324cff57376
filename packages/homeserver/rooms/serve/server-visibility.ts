/** Which events of a room another server may read. Every path that hands events to servers goes through here. <https://spec.matrix.org/v1.19/client-server-api/#room-history-visibility> */
import type { ServerName } from '@holdfast/protocol/ids/brand'
import { stateMapGet } from '@holdfast/protocol/state/state-map'
import {
  mayServerReadEvent,
  parseHistoryVisibility,
  parseMembership,
  type HistoryVisibility,
  type ServerReadQuestion,
} from '@holdfast/protocol/visibility/history-visibility'
import { EVENT_FLAGS, HIDDEN_FLAGS } from '../../storage/events.ts'
import { redactedCopy, withoutErased } from '../erased-content.ts'
import type { StoredEvent } from '../event-store.ts'
import type { RoomHead } from '../room-heads.ts'
import type { ReadDeps } from '../visible-events.ts'
import { openPace } from './pace.ts'
import { isServerInRoom } from './served-room.ts'
import { serverMemberships, type Presence } from './server-memberships.ts'

/** Answers for many events of one room and one server; what it looks up it remembers. */
export type ServerVisibility = {
  mayRead(event: StoredEvent): Promise<boolean>
  /** Whether somebody of the server was in the room when the event was sent, or came or went with it. */
  wasThere(event: StoredEvent): Promise<boolean>
}

const EVENTS_PER_SLICE = 50
/** Of these nobody can say who was there, or nobody saw them. */
const NOT_IN_PLACE = HIDDEN_FLAGS | EVENT_FLAGS.outlier | EVENT_FLAGS.partlyKnown

/**
 * The events as the server may have them, in their order: whole, or redacted, which keeps the graph and what the rules of
 * authorisation look at. All are of one room, and the server is in it.
 */
export async function serverVisibleEvents(
  deps: ReadDeps,
  server: ServerName,
  events: readonly StoredEvent[],
): Promise<readonly StoredEvent[]> {
  if (events.length === 0) return events
  const head = await deps.heads.byNid(events[0]!.roomNid)
  const visibility = serverVisibility(deps, head, server)
  const pace = openPace(EVENTS_PER_SLICE)
  const shown: StoredEvent[] = []
  // Nobody knows which users of the server have read what an erased user said, so none of them is shown it again.
  for (const event of await withoutErased(deps, events, undefined)) {
    shown.push((await visibility.mayRead(event)) ? event : redactedCopy(event, head.rules))
    await pace.spent(1)
  }
  return shown
}

export function serverVisibility(deps: ReadDeps, head: RoomHead, server: ServerName): ServerVisibility {
  const memberships = serverMemberships(deps, head, server)
  const joinedAfterEvent = isServerInRoom(head, server)
  const visibilityKey = deps.dictionary.stateKeyNid({ type: 'm.room.history_visibility', stateKey: '' })
  const visibilities = new Map<number, HistoryVisibility>()

  async function visibilityAfter(event: StoredEvent): Promise<HistoryVisibility> {
    let visibility = visibilities.get(event.stateNid)
    if (visibility === undefined) {
      const key = await visibilityKey
      const { map } = await deps.states.load(event.stateNid)
      const nid = key === undefined ? undefined : stateMapGet(map, key)
      visibility = parseHistoryVisibility((nid === undefined ? undefined : await deps.events.byNid(nid))?.pdu.content)
      visibilities.set(event.stateNid, visibility)
    }
    return visibility
  }

  /** The stored state is the one after the event; what the event itself replaced gives the one before. */
  async function visibilitiesAround(event: StoredEvent): Promise<Visibilities> {
    if (event.stateKeyNid === undefined || event.stateKeyNid !== (await visibilityKey)) {
      return { historyVisibilityAtEvent: await visibilityAfter(event) }
    }
    return {
      historyVisibilityAtEvent: parseHistoryVisibility((await replaced(deps, event))?.pdu.content),
      historyVisibilitySet: parseHistoryVisibility(event.pdu.content),
    }
  }

  async function presenceAround(event: StoredEvent): Promise<Presence> {
    const after = await memberships.at((await deps.states.load(event.stateNid)).map)
    if (event.stateKeyNid === undefined || !(await memberships.keys()).has(event.stateKeyNid)) return after
    const before = parseMembership((await replaced(deps, event))?.pdu.content)
    return { joined: after.joined || before === 'join', invited: after.invited || before === 'invite' }
  }

  return {
    wasThere: async (event) => {
      const isInItsPlace = (event.flags & NOT_IN_PLACE) === 0 && event.stateNid !== 0
      return isInItsPlace && (await presenceAround(event)).joined
    },
    mayRead: async (event) => {
      // Of such an event it is not known who could see it when it was sent. What holds now every member may know.
      if ((event.flags & EVENT_FLAGS.outlier) !== 0 || event.stateNid === 0) return isInState(head, event)
      const around = await visibilitiesAround(event)
      const question = { ...around, joinedAfterEvent, hadJoinedUser: false, hadInvitedUser: false }
      // Most rooms need no look at memberships.
      if (mayServerReadEvent(question)) return true
      const { joined, invited } = await presenceAround(event)
      return mayServerReadEvent({ ...question, hadJoinedUser: joined, hadInvitedUser: invited })
    },
  }
}

type Visibilities = Pick<ServerReadQuestion, 'historyVisibilityAtEvent' | 'historyVisibilitySet'>

async function replaced(deps: ReadDeps, event: StoredEvent): Promise<StoredEvent | undefined> {
  return event.replacesNid === undefined ? undefined : deps.events.byNid(event.replacesNid)
}

/** Whether the event is part of the room's current state. */
export function isInState({ state }: RoomHead, event: StoredEvent): boolean {
  return event.stateKeyNid !== undefined && stateMapGet(state.map, event.stateKeyNid) === event.nid
}
