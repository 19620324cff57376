/** A room as a graph of events with the state at each, light enough to make thousands of in a second. */
import { authorize } from '../../../auth/authorize.ts'
import type { AuthState } from '../../../auth/auth-state.ts'
import { selectAuthEvents } from '../../../event/auth-events.ts'
import type { Pdu } from '../../../event/pdu.ts'
import type { EventId, RoomId, UserId } from '../../../ids/brand.ts'
import type { JsonObject } from '../../../json/value.ts'
import type { RoomRules } from '../../../room-version/rules.ts'
import { stateMapGet, stateMapSet } from '../../state-map.ts'
import type { StateMap } from '../../state-map.ts'
import type { ResolutionEvent, ResolutionSource } from '../ledger.ts'
import { resolveStateNow } from '../resolution.ts'

export type DagEvent = ResolutionEvent & {
  readonly authNids: readonly number[]
  readonly stateBefore: StateMap
  readonly stateAfter: StateMap
}

export type DagDraft = {
  readonly eventId: string
  readonly type: string
  readonly stateKey: string
  readonly sender: string
  readonly content: JsonObject
  readonly prev: readonly DagEvent[]
  /** The resolution of the states after those, if it is known already. */
  readonly stateBefore?: StateMap
  /** Whose state the auth events are from; otherwise that before the event. */
  readonly authFrom?: StateMap
  /** Instead of what is selected from that state. */
  readonly auth?: readonly DagEvent[]
  readonly originServerTs: number
  readonly depth?: number
}

export type Dag = {
  readonly rules: RoomRules
  readonly events: readonly DagEvent[]
  readonly source: ResolutionSource
  /** The event, if its own auth events allow it; rejected where one of those is, or the state before it does not allow it. */
  readonly add: (draft: DagDraft) => DagEvent | undefined
  readonly resolve: (states: readonly StateMap[]) => StateMap
  readonly eventAt: (state: StateMap, type: string, stateKey: string) => DagEvent | undefined
}

export function createDag(rules: RoomRules, roomId: string): Dag {
  const events: DagEvent[] = []
  const keys = createKeys()
  const source: ResolutionSource = {
    event: (nid) => events[nid],
    authNids: (nid) => events[nid]?.authNids,
    stateKeyNid: keys.find,
  }
  const resolve = (states: readonly StateMap[]): StateMap => resolveStateNow(rules, states, source)
  const eventAt = (state: StateMap, type: string, stateKey: string): DagEvent | undefined => {
    const key = keys.find(type, stateKey)
    const nid = key === undefined ? undefined : stateMapGet(state, key)
    return nid === undefined ? undefined : events[nid]
  }
  const authState = (state: StateMap): AuthState => ({
    get: (type, stateKey) =>
      rules.roomIdIsCreateHash && type === 'm.room.create' ? events[0]?.pdu : eventAt(state, type, stateKey)?.pdu,
  })
  const add = (draft: DagDraft): DagEvent | undefined => {
    const stateBefore = draft.stateBefore ?? resolve(draft.prev.map(({ stateAfter }) => stateAfter))
    const auth = draft.auth ?? selected(rules, draft, (type, key) => eventAt(draft.authFrom ?? stateBefore, type, key))
    const pdu = pduOf(draft, roomId, auth)
    const cited: AuthState = {
      get: (type, stateKey) =>
        rules.roomIdIsCreateHash && type === 'm.room.create'
          ? events[0]?.pdu
          : auth.find((event) => event.pdu.type === type && event.pdu.stateKey === stateKey)?.pdu,
    }
    if (!authorize(rules, pdu, cited).allowed) return undefined
    const isOfState = draft.authFrom === undefined && draft.auth === undefined
    const citesRejected = auth.some((event) => event.rejected)
    const rejected = citesRejected || (!isOfState && !authorize(rules, pdu, authState(stateBefore)).allowed)
    const nid = events.length
    const stateKeyNid = keys.intern(draft.type, draft.stateKey)
    const stateAfter = rejected ? stateBefore : stateMapSet(stateBefore, stateKeyNid, nid)
    const authNids = auth.map((event) => event.nid)
    const event: DagEvent = { nid, pdu, stateKeyNid, rejected, authNids, stateBefore, stateAfter }
    events.push(event)
    return event
  }
  return { rules, events, source, add, resolve, eventAt }
}

type Keys = {
  readonly find: (type: string, stateKey: string) => number | undefined
  readonly intern: (type: string, stateKey: string) => number
}

function createKeys(): Keys {
  const types = new Map<string, Map<string, number>>()
  let count = 0
  return {
    find: (type, stateKey) => types.get(type)?.get(stateKey),
    intern: (type, stateKey) => {
      const ofType = types.get(type) ?? new Map<string, number>()
      types.set(type, ofType)
      const nid = ofType.get(stateKey) ?? count++
      ofType.set(stateKey, nid)
      return nid
    },
  }
}

type Find = (type: string, stateKey: string) => DagEvent | undefined

function selected(rules: RoomRules, draft: DagDraft, find: Find): DagEvent[] {
  return selectAuthEvents(rules, draft).flatMap(({ type, stateKey }) => find(type, stateKey) ?? [])
}

function pduOf(draft: DagDraft, roomId: string, auth: readonly DagEvent[]): Pdu {
  const { prev } = draft
  let depth = 1
  for (const { pdu } of prev) depth = Math.max(depth, pdu.depth + 1)
  return {
    eventId: draft.eventId as EventId,
    roomId: roomId as RoomId,
    type: draft.type,
    stateKey: draft.stateKey,
    sender: draft.sender as UserId,
    content: draft.content,
    depth: draft.depth ?? depth,
    originServerTs: draft.originServerTs,
    prevEvents: prev.map(({ pdu }) => pdu.eventId),
    authEvents: auth.map(({ pdu }) => pdu.eventId),
    redacts: undefined,
  }
}
