/** Resolves a random room in both ways, and in ways that must not matter. */
import { stateMapEntries, stateMapOf } from '../../state-map.ts'
import type { StateMap } from '../../state-map.ts'
import type { ResolutionSource } from '../ledger.ts'
import { resolveStateNow } from '../resolution.ts'
import type { Dag } from './dag.ts'
import type { Dice } from './dice.ts'
import { keyOf } from './naive.ts'
import type { NaiveRoom, NaiveState } from './naive.ts'
import { naiveV1 } from './naive-v1.ts'
import { naiveV2 } from './naive-v2.ts'
import { randomRoom } from './random-room.ts'
import type { Algorithm } from './random-room.ts'

/** What is wrong with the resolution of the room of this seed; undefined: nothing. */
export function problemOf(algorithm: Algorithm, seed: number): string | undefined {
  const { dag, states, dice } = randomRoom(algorithm, seed)
  const result = dag.resolve(states)
  const found = textOf(namedState(dag, result))
  const expected = textOf(naively(dag, states))
  if (found !== expected) return `not what the naive implementation says:\n${found}\nbut\n${expected}`
  const again = [...shuffled(dice, states), dice.pick(states)]
  const elsewhere = textOf(resolveElsewhere(dag, again, dice))
  if (elsewhere !== found) return `other ids, another order of the states:\n${elsewhere}\nbut\n${found}`
  return sameState(dag.resolve([result, stateMapOf(stateMapEntries(result))]), result)
    ? undefined
    : 'resolving the result with itself changes it'
}

/** The outcome by the second implementation. */
export function naively(dag: Dag, states: readonly StateMap[], room = naiveRoom(dag)): NaiveState {
  const named = states.map((state) => namedState(dag, state))
  const { stateResolution } = dag.rules
  return stateResolution === 'v1' ? naiveV1(room, named) : naiveV2(room, named, stateResolution)
}

export function naiveRoom({ rules, events }: Dag, missing: ReadonlySet<number> = new Set()): NaiveRoom {
  const known = events.filter(({ nid }) => !missing.has(nid))
  return { rules, create: events[0]!.pdu, events: new Map(known.map((event) => [event.pdu.eventId, event])) }
}

export function namedState({ events }: Pick<Dag, 'events'>, state: StateMap): NaiveState {
  return new Map(stateMapEntries(state).map(([, nid]) => [keyOf(events[nid]!.pdu), events[nid]!.pdu.eventId]))
}

export function textOf(state: NaiveState): string {
  return [...state.entries()]
    .map(([key, id]) => `${key} ${id}`)
    .sort()
    .join('\n')
}

function sameState(left: StateMap, right: StateMap): boolean {
  const [mine, theirs] = [stateMapEntries(left), stateMapEntries(right)]
  return (
    mine.length === theirs.length && mine.every(([key, nid], at) => key === theirs[at]![0] && nid === theirs[at]![1])
  )
}

function shuffled<T>(dice: Dice, items: readonly T[]): T[] {
  const left = [...items]
  return items.map(() => left.splice(dice.roll(left.length), 1)[0]!)
}

/** The same room on a server that got the events in another order, as auth events allow it, and met the keys in another. */
function resolveElsewhere(dag: Dag, states: readonly StateMap[], dice: Dice): NaiveState {
  const { events } = dag
  const order = topologicalOrder(dag, dice)
  const nidOf = new Map(order.map((old, index) => [old, 7 + 3 * index]))
  const renamed = new Map(order.map((old, index) => [7 + 3 * index, events[old]!]))
  const keyOffset = 1 + dice.roll(1000)
  const newKey = (key: number): number => (key * 7919 + keyOffset) % 65_537
  const source: ResolutionSource = {
    event: (nid) => {
      const event = renamed.get(nid)
      return event && { nid, pdu: event.pdu, stateKeyNid: newKey(event.stateKeyNid), rejected: event.rejected }
    },
    authNids: (nid) => renamed.get(nid)?.authNids.map((auth) => nidOf.get(auth)!),
    stateKeyNid: (type, stateKey) => {
      const key = dag.source.stateKeyNid(type, stateKey)
      return key === undefined ? undefined : newKey(key)
    },
  }
  const moved = states.map((state) =>
    stateMapOf(stateMapEntries(state).map(([key, nid]) => [newKey(key), nidOf.get(nid)!])),
  )
  const result = resolveStateNow(dag.rules, moved, source)
  return new Map(
    stateMapEntries(result).map(([, nid]) => [keyOf(renamed.get(nid)!.pdu), renamed.get(nid)!.pdu.eventId]),
  )
}

/** Any order in which auth events come first. */
function topologicalOrder({ events }: Dag, dice: Dice): number[] {
  const places: number[] = []
  for (const { authNids } of events) {
    let place = dice.roll(1000) / 1000
    for (const auth of authNids) place = Math.max(place, places[auth]! + 0.001 + dice.roll(100) / 100)
    places.push(place)
  }
  return events.map(({ nid }) => nid).sort((left, right) => places[left]! - places[right]! || left - right)
}
