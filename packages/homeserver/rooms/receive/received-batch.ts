/** What received events change in their room: decided one after the other, and committed together. */
import type { EventId, RoomId, ServerName } from '@holdfast/protocol/ids/brand'
import type { Pdu } from '@holdfast/protocol/event/pdu'
import { checkReceivedPdu, type ReceiptReason } from '@holdfast/protocol/receipt/check'
import { stateMapGet } from '@holdfast/protocol/state/state-map'
import type { Homeserver } from '../../homeserver.ts'
import { POLICY_KEY } from '../../federation/policy/policy-servers.ts'
import { closeGap, EVENT_FLAGS, HIDDEN_FLAGS } from '../../storage/events.ts'
import type { StoredEvent } from '../event-store.ts'
import { edgeRef } from '../edge-ref.ts'
import { memberChangesBetween, type ChangesDeps } from '../member-changes.ts'
import type {
  DraftEvent,
  DraftRoom,
  MembershipChange,
  RoomChanges,
  SideStatement,
  StoredEventRef,
} from '../room-changes.ts'
import type { RoomHead } from '../room-heads.ts'
import { EMPTY_STATE, type RoomState } from '../state-store.ts'
import { BatchLookups } from './batch-lookups.ts'
import { BatchStates, CREATE_KEY, type StatesDeps } from './batch-states.ts'
import type { Acceptance, Arrival } from './incoming.ts'
import { isOutlier, type KnownEvent } from './known-events.ts'
import { effectsOfRedactions } from './redactions.ts'
import { wordsOf } from './words.ts'

export type BatchDeps = StatesDeps & Pick<Homeserver, 'db' | 'serverName'>

export type BatchRoom = DraftRoom & { readonly roomId: RoomId }

export type BatchOptions = {
  /** `present`: new events of the timeline. `past`: they come before all that is here. `anew`: the room begins again with them. */
  readonly time: 'present' | 'past' | 'anew'
  /** With `anew`: servers that are said to be in the room, where its members are not all told. */
  readonly namedServers?: readonly ServerName[]
  /**
   * With `past`: the position that they come before, and the nid of the event after the gap. The gap is closed with them, unless
   * it `remains` because there is more between.
   */
  readonly gap?: { readonly position: number; readonly eventNid: number; readonly remains?: boolean }
}

/** Positions left free before an event of which the ones before are missing, for those that are fetched later. */
const RESERVED_FOR_GAP = 1_000

/** Refused events between an event and the extremities that it leaves behind. */
const REFUSED_BETWEEN_MAX = 100

export class ReceivedBatch implements RoomChanges {
  readonly room: BatchRoom
  readonly head: RoomHead | undefined
  readonly namedServers: readonly ServerName[] | undefined
  readonly events: DraftEvent[] = []
  readonly sides: SideStatement[] = []
  readonly redactedNids: number[] = []
  memberChanges: readonly MembershipChange[] = []
  readonly #deps: BatchDeps
  readonly #time: BatchOptions['time']
  readonly #gap: BatchOptions['gap']
  readonly #states: BatchStates
  readonly #lookups: BatchLookups
  readonly #byId = new Map<EventId, DraftEvent>()
  readonly #byNid = new Map<number, DraftEvent>()
  #state: RoomState
  #tips: readonly StoredEventRef[]
  #depth: number
  #positions = 0

  constructor(deps: BatchDeps, room: BatchRoom, head: RoomHead | undefined, options: BatchOptions) {
    this.#deps = deps
    this.room = room
    this.head = head
    this.namedServers = options.time === 'anew' ? (options.namedServers ?? []) : undefined
    this.#time = options.time
    this.#gap = options.gap
    this.#state = head?.state ?? EMPTY_STATE
    this.#tips = options.time === 'anew' ? [] : (head?.extremities ?? [])
    this.#depth = head?.depth ?? 0
    this.#lookups = new BatchLookups(deps, room.roomNid)
    this.#states = new BatchStates(deps, room.rules, {
      event: (nid) => this.#byNid.get(nid)?.event,
      authNids: (nid) => this.#byNid.get(nid)?.edges.auth,
    })
  }

  get roomId(): RoomId {
    return this.room.roomId
  }

  get state(): RoomState {
    return this.#state
  }

  get tips(): readonly StoredEventRef[] {
    return this.#tips
  }

  get depth(): number {
    return this.#depth
  }

  /** Call before the first event: saves a question to the database for each of them. */
  async readAhead(arrivals: readonly Arrival[]): Promise<void> {
    await this.#lookups.readAhead(arrivals.map(({ incoming }) => incoming.parsed.pdu))
  }

  /** Decides on an event. What is missing is said, and then nothing of the event is kept. */
  async add(arrival: Arrival): Promise<Acceptance> {
    const { pdu } = arrival.incoming.parsed
    const known = await this.#known([pdu.eventId, ...pdu.authEvents, ...pdu.prevEvents])
    const present = known.get(pdu.eventId)
    if (present !== undefined && !isOutlier(present)) return { outcome: 'known', nid: present.nid }
    if (present !== undefined && (await this.#isAnother(present.nid, arrival))) {
      const message = 'Another event with this id is here already.'
      return { outcome: 'rejected', nid: present.nid, rule: 'id-taken', message }
    }
    const before = await this.#stateBefore(arrival, known)
    const missingAuth = pdu.authEvents.filter((eventId) => !known.has(eventId))
    if (before === undefined || missingAuth.length > 0) {
      this.#states.takeNew()
      const missingPrev = pdu.prevEvents.filter((eventId) => !hasState(known.get(eventId)))
      return { outcome: 'missing', authEvents: missingAuth, prevEvents: missingPrev }
    }
    const verdict = await this.#check(arrival, { known, before })
    if (verdict === undefined || 'check' in verdict) return this.#take(arrival, { known, present, before, verdict })
    return { outcome: 'missing', authEvents: verdict.authEvents, prevEvents: [] }
  }

  /** In the first two versions whoever makes an event chooses its id, and may choose one twice. */
  async #isAnother(nid: number, { incoming: { parsed } }: Arrival): Promise<boolean> {
    const { rules } = this.room
    if (rules.eventId !== 'random') return false
    const present = await this.#states.event(nid)
    return present !== undefined && edgeRef(present, rules).referenceHash !== parsed.referenceHash
  }

  /** Call after the last event and before the commit. */
  async finish(): Promise<void> {
    if (this.#gap !== undefined) this.#fillGap(this.#gap)
    if (this.#time === 'past') return
    const maps = { before: (this.head?.state ?? EMPTY_STATE).map, after: this.#state.map }
    const eventsByNid: ChangesDeps['eventsByNid'] = (nids) => this.#states.eventsByNid(nids)
    const cause = Math.max(this.#positions - 1, 0)
    this.memberChanges = await memberChangesBetween({ ...this.#deps, eventsByNid }, maps, cause)
  }

  async #known(eventIds: readonly EventId[]): Promise<ReadonlyMap<EventId, KnownEvent>> {
    const known = new Map<EventId, KnownEvent>()
    const elsewhere: EventId[] = []
    for (const eventId of eventIds) {
      const drafted = this.#byId.get(eventId)?.event
      if (drafted === undefined) elsewhere.push(eventId)
      else known.set(eventId, drafted)
    }
    for (const [id, event] of await this.#lookups.known(elsewhere)) known.set(id, event)
    return known
  }

  /** undefined: the state after some previous event is not known. */
  async #stateBefore(
    { incoming, statesAfter }: Arrival,
    known: ReadonlyMap<EventId, KnownEvent>,
  ): Promise<RoomState | undefined> {
    const { prevEvents } = incoming.parsed.pdu
    if (this.#isOnAllTips(prevEvents)) return this.#state
    const states: RoomState[] = []
    for (const eventId of prevEvents) {
      const prev = known.get(eventId)
      const told = statesAfter?.get(eventId)
      if (hasState(prev)) states.push(await this.#states.load(prev.stateNid))
      else if (told !== undefined) states.push(await this.#states.stateOf(told, this.head?.state))
      else return undefined
    }
    return this.#states.merge(states)
  }

  #isOnAllTips(prevEvents: readonly EventId[]): boolean {
    if (this.#time !== 'present' || this.#tips.length === 0 || prevEvents.length !== this.#tips.length) return false
    const ids = new Set(prevEvents)
    return this.#tips.every(({ pdu }) => ids.has(pdu.eventId))
  }

  /** undefined: accepted. */
  async #check(
    { incoming: { parsed, signedBy, refusedUnder } }: Arrival,
    { known, before }: { known: ReadonlyMap<EventId, KnownEvent>; before: RoomState },
  ): Promise<({ verdict: 'soft-fail' | 'reject' } & ReceiptReason) | { authEvents: readonly EventId[] } | undefined> {
    const { pdu } = parsed
    const cited = await Promise.all(pdu.authEvents.map((eventId) => this.#states.event(known.get(eventId)!.nid)))
    const create = await this.#states.eventAt(before.map, CREATE_KEY)
    const isNow = this.#time === 'present' && this.#state !== before && this.#state.nid !== EMPTY_STATE.nid
    const verdict = checkReceivedPdu({
      rules: this.room.rules,
      event: pdu,
      authEvents: cited.flatMap((event) => (event === undefined ? [] : [asKnown(event)])),
      create: create === undefined ? undefined : asKnown(create),
      signedBy,
      stateBefore: await this.#states.authState(before.map, pdu),
      currentState: isNow ? await this.#states.authState(this.#state.map, pdu) : undefined,
      policy: (await this.#isPolicy(refusedUnder)) ? 'refused' : undefined,
    })
    if (verdict.verdict === 'accept') return undefined
    return verdict.verdict === 'need' ? { authEvents: verdict.authEvents } : verdict
  }

  /** Whether this still is the event that names the policy server: meanwhile the room may have got rid of it. */
  async #isPolicy(nid: number | undefined): Promise<boolean> {
    return nid !== undefined && (await this.#states.eventAt(this.#state.map, POLICY_KEY))?.nid === nid
  }

  async #take(
    arrival: Arrival,
    found: {
      readonly known: ReadonlyMap<EventId, KnownEvent>
      readonly present: KnownEvent | undefined
      readonly before: RoomState
      readonly verdict: ({ readonly verdict: 'soft-fail' | 'reject' } & ReceiptReason) | undefined
    },
  ): Promise<Acceptance> {
    const { known, before, verdict } = found
    const { pdu, json } = arrival.incoming.parsed
    const words = await wordsOf(this.#deps, pdu)
    const nid = found.present?.nid ?? arrival.drafted?.nid ?? (await this.#deps.nids.events.take(1))[0]!
    const { stateKeyNid } = words
    const isRejected = verdict?.verdict === 'reject'
    const after =
      stateKeyNid === undefined || isRejected ? before : await this.#states.withEvent(before, stateKeyNid, nid)
    const isShown = verdict === undefined && this.#time !== 'past'
    const hasGap = verdict === undefined && (await this.#hasGap(pdu, known))
    const event: StoredEventRef = {
      nid,
      roomNid: this.room.roomNid,
      pdu,
      senderNid: words.senderNid,
      stateKeyNid,
      flags: flagsOf(verdict?.verdict, hasGap),
      stateNid: after.nid,
      replacesNid: stateKeyNid === undefined ? undefined : stateMapGet(before.map, stateKeyNid),
      redactedByNid: undefined,
      deviceNid: arrival.transaction?.deviceNid,
      transactionId: arrival.transaction?.transactionId,
      json,
    }
    if (isShown && hasGap && this.head !== undefined) this.#positions += RESERVED_FOR_GAP
    const drafted: DraftEvent = {
      event,
      typeNid: words.typeNid,
      positionOffset: isShown ? this.#positions : undefined,
      newStates: this.#states.takeNew(),
      roomStateNid: undefined,
      edges: {
        prev: pdu.prevEvents.flatMap((eventId) => known.get(eventId)?.nid ?? []),
        auth: pdu.authEvents.map((eventId) => known.get(eventId)!.nid),
      },
      verdict: verdict === undefined ? undefined : { rule: verdict.rule, message: verdict.message },
      isOurs: arrival.isOurs === true,
      isStored: found.present !== undefined,
    }
    this.#hold(drafted)
    if (verdict === undefined) this.sides.push(...(arrival.drafted?.sides ?? []))
    if (isShown) await this.#advance(drafted, { known, after })
    if (verdict === undefined) await this.#redact(event, before)
    return verdict === undefined
      ? { outcome: 'accepted', nid }
      : { outcome: isRejected ? 'rejected' : 'soft-failed', nid, rule: verdict.rule, message: verdict.message }
  }

  /** The accepted events get the positions right before the gap's event, in their order. */
  #fillGap({ position, eventNid, remains = false }: NonNullable<BatchOptions['gap']>): void {
    const accepted = this.events.filter(({ verdict }) => verdict === undefined)
    if (accepted.length === 0) return
    for (const [index, drafted] of this.events.entries()) {
      const place = accepted.indexOf(drafted)
      if (place !== -1) this.events[index] = { ...drafted, pastPosition: position - accepted.length + place }
    }
    if (remains) return
    this.sides.push({ statement: closeGap(eventNid), broken: undefined })
    this.redactedNids.push(eventNid)
  }

  #hold(drafted: DraftEvent): void {
    this.events.push(drafted)
    this.#index(drafted)
  }

  #index(drafted: DraftEvent): void {
    this.#byId.set(drafted.event.pdu.eventId, drafted)
    this.#byNid.set(drafted.event.nid, drafted)
  }

  /** Moves the room's extremities, and with them its state. The event is held already: the states that meet may have it. */
  async #advance(
    drafted: DraftEvent,
    { known, after }: { readonly known: ReadonlyMap<EventId, KnownEvent>; readonly after: RoomState },
  ): Promise<void> {
    const { event } = drafted
    const left = await this.#leftBehind(event.pdu, known)
    const others = this.#tips.filter(({ nid }) => !left.has(nid))
    const isTip = others.length === 0 || !(await this.#isFollowed(drafted))
    this.#positions += 1
    this.#depth = Math.max(this.#depth, event.pdu.depth)
    if (isTip || others.length < this.#tips.length) {
      this.#tips = isTip ? [...others, event] : others
      const states = await Promise.all(others.map(({ stateNid }) => this.#states.load(stateNid)))
      this.#state = await this.#states.merge(isTip ? [...states, after] : states)
    }
    if (this.#state.nid === after.nid) return
    const newStates = [...drafted.newStates, ...this.#states.takeNew()]
    const settled: DraftEvent = { ...drafted, newStates, roomStateNid: this.#state.nid }
    this.events[this.events.length - 1] = settled
    this.#index(settled)
  }

  /** Whether an event that arrives late is in the past of what is here: an accepted event followed it over a gap. */
  async #isFollowed({ event, isStored }: DraftEvent): Promise<boolean> {
    const { nid, stateKeyNid, pdu } = event
    if (this.#isOnAllTips(pdu.prevEvents)) return false
    // An outlier that the room's state has came with the state of somebody who followed it.
    if (isStored === true && stateKeyNid !== undefined && stateMapGet(this.#state.map, stateKeyNid) === nid) return true
    const nids = await this.#lookups.gapEventsDeeper(pdu.depth)
    const followers = await this.#states.eventsByNid([...nids, ...this.#byNid.keys()])
    const follows = ({ pdu: { prevEvents }, flags }: StoredEventRef): boolean =>
      (flags & EVENT_FLAGS.gap) !== 0 && prevEvents.includes(pdu.eventId)
    return [...followers.values()].some(follows)
  }

  /** What the event follows, also by way of refused events, which never became extremities themselves. */
  async #leftBehind(pdu: Pdu, known: ReadonlyMap<EventId, KnownEvent>): Promise<ReadonlySet<number>> {
    const left = new Set<number>()
    let wave = pdu.prevEvents.flatMap((eventId) => known.get(eventId) ?? [])
    while (wave.length > 0 && left.size < REFUSED_BETWEEN_MAX) {
      const further: EventId[] = []
      for (const { nid, flags } of wave) {
        if (left.has(nid)) continue
        left.add(nid)
        if ((flags & HIDDEN_FLAGS) !== 0) further.push(...((await this.#states.event(nid))?.pdu.prevEvents ?? []))
      }
      wave = further.length === 0 ? [] : [...(await this.#known(further)).values()]
    }
    return left
  }

  /** Whether something that the event follows is missing, be it by way of refused events: those are no part of the past, but lead there. */
  async #hasGap(pdu: Pdu, known: ReadonlyMap<EventId, KnownEvent>): Promise<boolean> {
    let wave: readonly (KnownEvent | undefined)[] = pdu.prevEvents.map((eventId) => known.get(eventId))
    for (let walked = 0; wave.length > 0 && walked < REFUSED_BETWEEN_MAX; walked += wave.length) {
      if (!wave.every(hasState)) return true
      const refused = wave.filter(({ flags }) => (flags & HIDDEN_FLAGS) !== 0)
      if (refused.length === 0) return false
      const events = await this.#states.eventsByNid(refused.map(({ nid }) => nid))
      const further = [...new Set([...events.values()].flatMap(({ pdu: { prevEvents } }) => prevEvents))]
      const found = await this.#known(further)
      wave = further.map((eventId) => found.get(eventId))
    }
    return false
  }

  async #redact(event: StoredEventRef, before: RoomState): Promise<void> {
    const effects = await effectsOfRedactions(
      { states: this.#states, lookups: this.#lookups },
      { room: this.room, event, before, find: (eventId) => this.#find(eventId) },
    )
    this.sides.push(...effects.sides)
    this.redactedNids.push(...effects.redactedNids)
  }

  async #find(eventId: EventId): Promise<StoredEventRef | undefined> {
    const known = (await this.#known([eventId])).get(eventId)
    return known === undefined ? undefined : this.#states.event(known.nid)
  }
}

function flagsOf(verdict: 'reject' | 'soft-fail' | undefined, hasGap: boolean): number {
  if (verdict === 'reject') return EVENT_FLAGS.rejected
  if (verdict === 'soft-fail') return EVENT_FLAGS.softFailed
  return hasGap ? EVENT_FLAGS.gap : 0
}

function hasState(event: KnownEvent | undefined): event is KnownEvent {
  return event !== undefined && event.stateNid !== EMPTY_STATE.nid
}

function asKnown({ pdu, flags }: Pick<StoredEvent, 'pdu' | 'flags'>): { pdu: Pdu; rejected: boolean } {
  return { pdu, rejected: (flags & EVENT_FLAGS.rejected) !== 0 }
}
