/** Power events, and the reverse topological power ordering. <https://spec.matrix.org/v1.19/rooms/v12/#definitions> */
import { own } from '../../auth/auth-state.ts'
import type { PowerLevel } from '../../auth/level.ts'
import { powerLevels } from '../../auth/power-levels.ts'
import type { Pdu } from '../../event/pdu.ts'
import { compareByCodePoint } from '../../json/order.ts'
import { citedState } from './auth-checks.ts'
import type { Room } from './auth-checks.ts'
import { createHeap } from './heap.ts'
import { PAUSE } from './ledger.ts'
import type { ResolutionEvent, Step } from './ledger.ts'

/** Events that might take away somebody's ability to do something in the room. */
export function isPowerEvent({ type, stateKey, sender, content }: Pdu): boolean {
  if (type === 'm.room.power_levels' || type === 'm.room.join_rules') return stateKey === ''
  if (type !== 'm.room.member' || stateKey === sender) return false
  const membership = own(content, 'membership')
  return membership === 'leave' || membership === 'ban'
}

/** The power events of the full conflicted set, with what is in their auth chains, in reverse topological power ordering. */
export function* orderedPowerEvents(
  room: Room,
  full: ReadonlyMap<number, ResolutionEvent>,
): Step<readonly ResolutionEvent[]> {
  const selected = yield* powerEventsWithChains(room, full)
  return yield* reverseTopologicalPowerOrdering(room, selected)
}

type Selected = { readonly event: ResolutionEvent; readonly auths: readonly number[] }

function* powerEventsWithChains(
  { ledger }: Room,
  full: ReadonlyMap<number, ResolutionEvent>,
): Step<Map<number, Selected>> {
  const selected = new Map<number, Selected>()
  const stack = [...full.values()].filter(({ pdu }) => isPowerEvent(pdu))
  for (let event = stack.pop(); event !== undefined; event = stack.pop()) {
    if (selected.has(event.nid)) continue
    const auths = [...new Set(ledger.authNids(event.nid))].filter((auth) => full.has(auth))
    selected.set(event.nid, { event, auths })
    for (const auth of auths) stack.push(full.get(auth)!)
    if (ledger.isPauseDue(1)) yield PAUSE
  }
  return selected
}

type Ranked = { readonly event: ResolutionEvent; readonly level: PowerLevel }

/** Kahn's algorithm: again and again the first, by rank, of those whose auth events have all been taken. */
function* reverseTopologicalPowerOrdering(
  room: Room,
  selected: ReadonlyMap<number, Selected>,
): Step<readonly ResolutionEvent[]> {
  const { ledger } = room
  const citedBy = new Map<number, number[]>()
  const blockers = new Map<number, number>()
  const ready = createHeap(comesFirst)
  for (const [nid, { event, auths }] of selected) {
    for (const auth of auths) {
      const citing = citedBy.get(auth)
      if (citing === undefined) citedBy.set(auth, [nid])
      else citing.push(nid)
    }
    blockers.set(nid, auths.length)
    if (auths.length === 0) ready.push(ranked(room, event))
    if (ledger.isPauseDue(2)) yield PAUSE
  }
  const order: ResolutionEvent[] = []
  for (let first = ready.pop(); first !== undefined; first = ready.pop()) {
    order.push(first.event)
    for (const nid of citedBy.get(first.event.nid) ?? []) {
      const left = blockers.get(nid)! - 1
      blockers.set(nid, left)
      if (left === 0) ready.push(ranked(room, selected.get(nid)!.event))
      if (ledger.isPauseDue(1)) yield PAUSE
    }
    if (ledger.isPauseDue(2)) yield PAUSE
  }
  return order
}

/** The sender's level is that of the event's own auth events, so that it is the same whatever is being resolved. */
function ranked(room: Room, event: ResolutionEvent): Ranked {
  const state = citedState(room, event.nid, { withRejected: true })
  return { event, level: powerLevels(room.rules, state).ofUser(event.pdu.sender) }
}

function comesFirst(left: Ranked, right: Ranked): boolean {
  if (left.level > right.level) return true
  if (left.level < right.level) return false
  return isEarlier(left.event.pdu, right.event.pdu)
}

/** By time, then by id. */
export function isEarlier(left: Pdu, right: Pdu): boolean {
  if (left.originServerTs !== right.originServerTs) return left.originServerTs < right.originServerTs
  return compareByCodePoint(left.eventId, right.eventId) < 0
}
