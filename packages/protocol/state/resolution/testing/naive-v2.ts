/** <https://spec.matrix.org/v1.19/rooms/v12/#state-resolution> and its form of room version 2, read slowly. */
import type { PowerLevel } from '../../../auth/level.ts'
import { powerLevels } from '../../../auth/power-levels.ts'
import type { Pdu } from '../../../event/pdu.ts'
import { allows, keyOf, keysOf, knownAuthEvents } from './naive.ts'
import type { NaiveRoom, NaiveState } from './naive.ts'

export function naiveV2(room: NaiveRoom, states: readonly NaiveState[], version: 'v2' | 'v2.1'): NaiveState {
  const { unconflicted } = separate(states)
  const full = naiveFullConflictedSet(room, states, version)
  const selected = new Set<string>()
  const select = (id: string): void => {
    if (selected.has(id)) return
    selected.add(id)
    for (const auth of knownAuthEvents(room, id)) if (full.has(auth)) select(auth)
  }
  for (const id of full) if (isPowerEvent(pduOf(room, id))) select(id)

  const start: NaiveState = version === 'v2.1' ? new Map() : unconflicted
  const partial = iterativeAuthChecks(room, start, reverseTopologicalPowerOrdering(room, selected))
  const rest = [...full].filter((id) => !selected.has(id))
  const ordered = mainlineOrdering(room, rest, partial.get('m.room.power_levels|'))
  return new Map([...iterativeAuthChecks(room, partial, ordered), ...unconflicted])
}

export function naiveFullConflictedSet(
  room: NaiveRoom,
  states: readonly NaiveState[],
  version: 'v2' | 'v2.1',
): Set<string> {
  const chains = authChains(room)
  const { conflicted } = separate(states)
  const full = new Set([...conflicted, ...authDifference(chains, states)])
  if (version === 'v2.1') for (const id of conflictedSubgraph(chains, conflicted)) full.add(id)
  return new Set([...full].filter((id) => room.events.has(id)))
}

function pduOf(room: NaiveRoom, id: string): Pdu {
  return room.events.get(id)!.pdu
}

function separate(states: readonly NaiveState[]): { unconflicted: NaiveState; conflicted: ReadonlySet<string> } {
  const unconflicted = new Map<string, string>()
  const conflicted = new Set<string>()
  for (const key of keysOf(states)) {
    const values = states.map((state) => state.get(key))
    if (values.every((value) => value !== undefined && value === values[0])) unconflicted.set(key, values[0]!)
    else for (const value of values) if (value !== undefined) conflicted.add(value)
  }
  return { unconflicted, conflicted }
}

type AuthChains = (id: string) => ReadonlySet<string>

function authChains(room: NaiveRoom): AuthChains {
  const known = new Map<string, ReadonlySet<string>>()
  const chainOf = (id: string): ReadonlySet<string> => {
    const before = known.get(id)
    if (before !== undefined) return before
    const chain = new Set<string>()
    for (const auth of knownAuthEvents(room, id)) {
      chain.add(auth)
      for (const further of chainOf(auth)) chain.add(further)
    }
    known.set(id, chain)
    return chain
  }
  return chainOf
}

/** What is in the chain of one state and not of another; a state's own events count as part of its chain. */
function authDifference(chains: AuthChains, states: readonly NaiveState[]): Set<string> {
  const full = states.map((state) => new Set([...state.values()].flatMap((id) => [id, ...chains(id)])))
  const union = new Set(full.flatMap((chain) => [...chain]))
  return new Set([...union].filter((id) => !full.every((chain) => chain.has(id))))
}

function conflictedSubgraph(chains: AuthChains, conflicted: ReadonlySet<string>): Set<string> {
  const below = new Set([...conflicted].flatMap((id) => [id, ...chains(id)]))
  const leadsToConflicted = (id: string): boolean =>
    conflicted.has(id) || [...chains(id)].some((auth) => conflicted.has(auth))
  return new Set([...below].filter(leadsToConflicted))
}

function isPowerEvent(event: Pdu): boolean {
  if (keyOf(event) === 'm.room.power_levels|' || keyOf(event) === 'm.room.join_rules|') return true
  const isRemoval = event.content['membership'] === 'leave' || event.content['membership'] === 'ban'
  return event.type === 'm.room.member' && isRemoval && event.sender !== event.stateKey
}

/** Kahn's algorithm as in a textbook. */
function reverseTopologicalPowerOrdering(room: NaiveRoom, ids: ReadonlySet<string>): string[] {
  const order: string[] = []
  const left = new Set(ids)
  while (left.size > 0) {
    const free = [...left].filter((id) => !knownAuthEvents(room, id).some((auth) => left.has(auth)))
    const first = free.reduce((best, id) => (comparePower(room, id, best) < 0 ? id : best))
    order.push(first)
    left.delete(first)
  }
  return order
}

function comparePower(room: NaiveRoom, left: string, right: string): number {
  const [mine, theirs] = [senderLevel(room, left), senderLevel(room, right)]
  if (mine > theirs) return -1
  if (mine < theirs) return 1
  return compareTimeAndId(room, left, right)
}

function senderLevel(room: NaiveRoom, id: string): PowerLevel {
  const auth = new Map(knownAuthEvents(room, id).map((cited) => [keyOf(pduOf(room, cited)), pduOf(room, cited)]))
  if (room.rules.roomIdIsCreateHash) auth.set('m.room.create|', room.create)
  const state = { get: (type: string, stateKey: string) => auth.get(keyOf({ type, stateKey })) }
  return powerLevels(room.rules, state).ofUser(pduOf(room, id).sender)
}

function compareTimeAndId(room: NaiveRoom, left: string, right: string): number {
  const [mine, theirs] = [pduOf(room, left).originServerTs, pduOf(room, right).originServerTs]
  // UTF-8 sorts like code points.
  return mine === theirs ? Buffer.compare(Buffer.from(left), Buffer.from(right)) : mine - theirs
}

function mainlineOrdering(room: NaiveRoom, ids: readonly string[], levels: string | undefined): string[] {
  const levelsCitedBy = (id: string): string | undefined =>
    knownAuthEvents(room, id).find((auth) => keyOf(pduOf(room, auth)) === 'm.room.power_levels|')
  const mainline: string[] = []
  for (let at = levels; at !== undefined; at = levelsCitedBy(at)) mainline.push(at)
  const positionOf = (id: string): number => {
    const cited = levelsCitedBy(id)
    if (cited === undefined) return Infinity
    return mainline.includes(cited) ? mainline.indexOf(cited) : positionOf(cited)
  }
  return [...ids].sort((left, right) => {
    const [mine, theirs] = [positionOf(left), positionOf(right)]
    if (mine !== theirs) return mine > theirs ? -1 : 1
    return compareTimeAndId(room, left, right)
  })
}

function iterativeAuthChecks(room: NaiveRoom, initial: NaiveState, ids: readonly string[]): NaiveState {
  const state = new Map(initial)
  for (const id of ids) {
    const event = pduOf(room, id)
    const cited = knownAuthEvents(room, id).filter((auth) => !room.events.get(auth)!.rejected)
    const at = (key: string): string | undefined => {
      const own = state.get(key)
      if (own !== undefined && room.events.has(own)) return own
      return cited.find((auth) => keyOf(pduOf(room, auth)) === key)
    }
    if (allows(room, event, at)) state.set(keyOf(event), id)
  }
  return state
}
