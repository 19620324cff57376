/** Authorisation of events against a state that is being resolved. */
import { authorize } from '../../auth/authorize.ts'
import type { AuthState } from '../../auth/auth-state.ts'
import { selectAuthEvents } from '../../event/auth-events.ts'
import { isObject } from '../../json/value.ts'
import type { Pdu } from '../../event/pdu.ts'
import { createEventIdOf } from '../../ids/room-id.ts'
import type { RoomRules } from '../../room-version/rules.ts'
import { stateMapGet } from '../state-map.ts'
import type { StateMap } from '../state-map.ts'
import { PAUSE } from './ledger.ts'
import type { Ledger, ResolutionEvent, Step } from './ledger.ts'

export type Room = {
  readonly rules: RoomRules
  readonly ledger: Ledger
  /** The create event where the room id stands for it, and auth events do not cite it. */
  readonly create: Pdu | undefined
}

/** What the state has at a key so far. */
export type Lookup = (stateKeyNid: number) => number | undefined

/** Room versions with the create event in the room id: it is in every state, and is the one whose id fits. */
export function* openRoom(rules: RoomRules, ledger: Ledger, states: readonly StateMap[]): Step<Room> {
  if (!rules.roomIdIsCreateHash) return { rules, ledger, create: undefined }
  yield* ledger.load({ stateKeys: [['m.room.create', '']] })
  const key = ledger.stateKeyNid('m.room.create', '')
  const nids = key < 0 ? [] : states.flatMap((state) => stateMapGet(state, key) ?? [])
  yield* ledger.load({ events: [...new Set(nids)] })
  const create = nids.flatMap((nid) => ledger.event(nid)?.pdu ?? []).find(isCreateOfItsRoom)
  return { rules, ledger, create }
}

function isCreateOfItsRoom({ eventId, roomId }: Pdu): boolean {
  return createEventIdOf(roomId) === eventId
}

/** Loads what authorising these events may look at, given what the states have in common. */
export function* loadForAuthorisation(room: Room, events: readonly ResolutionEvent[], common: Lookup): Step {
  const { ledger, rules } = room
  const pairs = new Map<string, readonly [string, string]>()
  for (const { pdu } of events) {
    for (const { type, stateKey } of selectAuthEvents(rules, pdu)) {
      if (ledger.needsStateKey(type, stateKey)) pairs.set(`${type.length} ${type}${stateKey}`, [type, stateKey])
    }
    if (ledger.isPauseDue(2)) yield PAUSE
  }
  yield* ledger.load({ stateKeys: [...pairs.values()] })
  const nids = new Set<number>()
  for (const { pdu } of events) {
    for (const { type, stateKey } of selectAuthEvents(rules, pdu)) {
      const nid = common(ledger.stateKeyNid(type, stateKey))
      if (nid !== undefined) nids.add(nid)
    }
    if (ledger.isPauseDue(2)) yield PAUSE
  }
  yield* ledger.load({ events: [...nids] })
}

/** Loads the auth events of these events. */
export function* loadAuthEvents(ledger: Ledger, nids: readonly number[]): Step {
  yield* ledger.load({ edges: nids })
  const auths = new Set<number>()
  for (const nid of nids) {
    for (const auth of ledger.authNids(nid)) auths.add(auth)
    if (ledger.isPauseDue(1)) yield PAUSE
  }
  yield* ledger.load({ events: [...auths] })
}

/** Whether the rules allow the event in the state so far, where `instead` answers for what that state does not have. */
export function isAllowed(room: Room, { pdu }: ResolutionEvent, state: Lookup, instead?: AuthState): boolean {
  const { rules, ledger, create } = room
  const keys = selectAuthEvents(rules, pdu)
  const get: AuthState['get'] = (type, stateKey) => {
    if (create !== undefined && type === 'm.room.create' && stateKey === '') return create
    if (!keys.some((key) => key.type === type && key.stateKey === stateKey)) return undefined
    const nid = state(ledger.stateKeyNid(type, stateKey))
    const event = nid === undefined ? undefined : ledger.event(nid)
    return event?.pdu ?? instead?.get(type, stateKey)
  }
  return authorize(rules, pdu, { get }).allowed
}

type WhichAuthEvents = { readonly withRejected: boolean }

/** The auth events that an event itself cites, as a state. */
export function citedState(room: Room, nid: number, { withRejected }: WhichAuthEvents): AuthState {
  const { ledger, create } = room
  return {
    get: (type, stateKey) => {
      if (create !== undefined && type === 'm.room.create' && stateKey === '') return create
      return citedEvent(ledger, nid, { type, stateKey, withRejected })?.pdu
    },
  }
}

type Sought = WhichAuthEvents & { readonly type: string; readonly stateKey: string }

/** An event that cites two for one key is refused on receipt; if there is one, the smaller id is the same on all servers. */
export function citedEvent(ledger: Ledger, nid: number, sought: Sought): ResolutionEvent | undefined {
  let found: ResolutionEvent | undefined
  for (const auth of ledger.authNids(nid)) {
    const event = ledger.event(auth)
    if (event === undefined || (event.rejected && !sought.withRejected)) continue
    if (event.pdu.type !== sought.type || event.pdu.stateKey !== sought.stateKey) continue
    if (found === undefined || event.pdu.eventId < found.pdu.eventId) found = event
  }
  return found
}

/** About how many microseconds it takes to authorise an event. */
export function authorisationCost({ pdu }: ResolutionEvent): number {
  if (pdu.type === 'm.room.power_levels') {
    const users = Object.hasOwn(pdu.content, 'users') ? pdu.content['users'] : undefined
    return isObject(users) ? 10 + Object.keys(users).length : 10
  }
  // Signatures may have to be checked.
  return pdu.type === 'm.room.member' && Object.hasOwn(pdu.content, 'third_party_invite') ? 2000 : 5
}
