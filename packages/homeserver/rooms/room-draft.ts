/** New events on top of a room's head: built, authorised and held until they are committed together. Synchronous. */
import { authorize } from '@holdfast/protocol/auth/authorize'
import { buildEvent, type EventDraft } from '@holdfast/protocol/event/build'
import { selectAuthEvents } from '@holdfast/protocol/event/auth-events'
import type { Pdu } from '@holdfast/protocol/event/pdu'
import { isEventTooLarge } from '@holdfast/protocol/event/size'
import { matrixError } from '@holdfast/protocol/errors'
import { parseUserId } from '@holdfast/protocol/ids/user-id'
import type { RoomId, ServerName } from '@holdfast/protocol/ids/brand'
import { emptyStateMap, stateMapGet, stateMapSet } from '@holdfast/protocol/state/state-map'
import { SPEC_LIMITS } from '@holdfast/protocol/limits'
import { fitsUtf8 } from '@holdfast/protocol/text/utf8'
import type { Random } from '@holdfast/platform/random/random'
import type { Statement } from '@holdfast/platform/database/database'
import type { StateKey } from '../dictionary/dictionary.ts'
import { EVENT_FLAGS } from '../storage/events.ts'
import { MEMBERSHIP_CODES, type Membership } from '../storage/memberships.ts'
import { edgeRef } from './edge-ref.ts'
import type { Prefetched } from './prefetch.ts'
import type {
  DraftEvent as ChangingEvent,
  DraftRoom,
  MembershipChange,
  RoomChanges,
  SideStatement,
  StoredEventRef,
} from './room-changes.ts'
import { refusedByRules } from './refused-by-rules.ts'
import type { RoomHead } from './room-heads.ts'
import { nextState, type RoomState } from './state-store.ts'

export type NewRoomEvent = EventDraft

/** Which request of which device an event answers. */
export type SendingTransaction = { readonly deviceNid: number; readonly transactionId: string | undefined }

/** An event of the draft: each has a position. */
export type DraftEvent = ChangingEvent & { readonly positionOffset: number }

type DraftDeps = { readonly serverName: ServerName; readonly random: Random }

export class RoomDraft implements RoomChanges {
  readonly room: DraftRoom
  readonly head: RoomHead | undefined
  readonly events: DraftEvent[] = []
  readonly sides: SideStatement[] = []
  /** Events rewritten by redactions in this draft. */
  readonly redactedNids: number[] = []
  #roomId: RoomId | undefined
  #state: RoomState | undefined
  #tips: readonly StoredEventRef[]
  #depth: number
  readonly #prefetched: Prefetched
  readonly #byNid = new Map<number, DraftEvent>()
  readonly #deps: DraftDeps

  constructor(deps: DraftDeps, room: DraftRoom, head: RoomHead | undefined, prefetched: Prefetched) {
    this.#deps = deps
    this.room = room
    this.head = head
    this.#roomId = room.roomId
    this.#state = head?.state
    this.#tips = head?.extremities ?? []
    this.#depth = head?.depth ?? 0
    this.#prefetched = prefetched
  }

  get roomId(): RoomId {
    if (this.#roomId === undefined) throw new Error('the room has no id before its create event')
    return this.#roomId
  }

  get state(): RoomState {
    if (this.#state === undefined) throw new Error('the room has no state before its create event')
    return this.#state
  }

  get memberChanges(): readonly MembershipChange[] {
    const changes: MembershipChange[] = []
    for (const { event, positionOffset } of this.events) {
      const { pdu, nid } = event
      if (pdu.type !== 'm.room.member' || pdu.stateKey === undefined) continue
      const userId = parseUserId(pdu.stateKey)
      const membership = pdu.content['membership']
      if (userId === undefined || typeof membership !== 'string' || !Object.hasOwn(MEMBERSHIP_CODES, membership))
        continue
      const userNid = this.#prefetched.userNid(userId)
      changes.push({ userNid, userId, membership: membership as Membership, eventNid: nid, positionOffset })
    }
    return changes
  }

  get depth(): number {
    return this.#depth
  }

  /** What the next event would follow. */
  get tips(): readonly StoredEventRef[] {
    return this.#tips
  }

  /** The event nid at a key of the state as drafted so far. */
  stateNid(key: StateKey): number | undefined {
    const keyNid = this.#prefetched.stateKeyNid(key)
    return keyNid === undefined || this.#state === undefined ? undefined : stateMapGet(this.#state.map, keyNid)
  }

  /** The state event at a key, as drafted so far. The key must have been prefetched. */
  stateEvent(key: StateKey): StoredEventRef | undefined {
    const nid = this.stateNid(key)
    if (nid === undefined) return undefined
    return this.#byNid.get(nid)?.event ?? this.#prefetched.event(nid)
  }

  /**
   * Builds an event on the present tips, and takes it into the draft if the authorisation rules allow it.
   * @throws {MatrixError} M_FORBIDDEN or M_INVALID_PARAM with the rule's sentence, M_TOO_LARGE
   */
  add(draft: NewRoomEvent, transaction?: SendingTransaction): DraftEvent {
    assertNamesFit(draft)
    const { rules } = this.room
    const auth = selectAuthEvents(rules, draft)
      .map((key) => this.stateEvent(key))
      .filter((event) => event !== undefined)
    const prev = this.#tips
    const built = buildEvent({
      rules,
      roomId: this.#roomId,
      draft,
      prevEvents: prev.map((event) => edgeRef(event, rules)),
      authEvents: auth.map((event) => edgeRef(event, rules)),
      depth: Math.min(this.#depth + 1, Number.MAX_SAFE_INTEGER),
      serverName: this.#deps.serverName,
      eventIdLocalpart: rules.eventId === 'random' ? this.#deps.random.text(18) : undefined,
    })
    if (isEventTooLarge(built, this.#deps.serverName))
      throw matrixError('M_TOO_LARGE', 'The event is larger than 65,536 bytes.')
    const verdict = authorize(rules, built.pdu, {
      get: (type, stateKey) => this.stateEvent({ type, stateKey })?.pdu,
    })
    if (!verdict.allowed) throw refusedByRules(verdict)
    return this.#take(built.pdu, built.json, { prev: prev.map(nidOf), auth: auth.map(nidOf) }, transaction)
  }

  /** Adds a statement to the commit of this draft. */
  also(statement: Statement, broken?: () => Error): void {
    this.sides.push({ statement, broken })
  }

  /** The draft as it is, to return to when a decision is refused half way. */
  mark(): () => void {
    const { length } = this.events
    const sides = this.sides.length
    const redacted = this.redactedNids.length
    const [roomId, state, tips, depth] = [this.#roomId, this.#state, this.#tips, this.#depth]
    return () => {
      for (const dropped of this.events.splice(length)) this.#byNid.delete(dropped.event.nid)
      this.sides.splice(sides)
      this.redactedNids.splice(redacted)
      this.#roomId = roomId
      this.#state = state
      this.#tips = tips
      this.#depth = depth
    }
  }

  #take(pdu: Pdu, json: string, edges: DraftEvent['edges'], transaction: SendingTransaction | undefined): DraftEvent {
    this.#roomId ??= pdu.roomId
    const nid = this.#prefetched.newEventNid()
    const stateKeyNid =
      pdu.stateKey === undefined ? undefined : this.#stateKeyNid({ type: pdu.type, stateKey: pdu.stateKey })
    const before = this.#state?.map ?? emptyStateMap()
    const replacesNid = stateKeyNid === undefined ? undefined : stateMapGet(before, stateKeyNid)
    if (stateKeyNid !== undefined) {
      this.#state = nextState(this.#prefetched.newStateNid(), stateMapSet(before, stateKeyNid, nid), this.#state)
    }
    const taken: DraftEvent = {
      event: {
        nid,
        roomNid: this.room.roomNid,
        pdu,
        senderNid: this.#prefetched.userNid(pdu.sender),
        stateKeyNid,
        flags: EVENT_FLAGS.unsigned,
        stateNid: this.state.nid,
        replacesNid,
        redactedByNid: undefined,
        deviceNid: transaction?.deviceNid,
        transactionId: transaction?.transactionId,
        json,
      },
      typeNid: this.#prefetched.eventTypeNid(pdu.type),
      positionOffset: this.events.length,
      newStates: stateKeyNid === undefined ? [] : [this.state],
      roomStateNid: undefined,
      edges,
      isOurs: true,
    }
    this.events.push(taken)
    this.#byNid.set(nid, taken)
    this.#tips = [taken.event]
    this.#depth = pdu.depth
    return taken
  }

  #stateKeyNid(key: StateKey): number {
    const nid = this.#prefetched.stateKeyNid(key)
    if (nid === undefined) throw new Error(`state key ${key.type} was not announced before the decision`)
    return nid
  }
}

/** <https://spec.matrix.org/v1.19/client-server-api/#size-limits> */
function assertNamesFit({ type, stateKey = '' }: NewRoomEvent): void {
  if (fitsUtf8(type, SPEC_LIMITS.idBytesMax) && fitsUtf8(stateKey, SPEC_LIMITS.idBytesMax)) return
  throw matrixError(
    'M_TOO_LARGE',
    `The type and the state key of an event have at most ${SPEC_LIMITS.idBytesMax} bytes each.`,
  )
}

function nidOf(event: StoredEventRef): number {
  return event.nid
}
