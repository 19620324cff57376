import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { authorize } from '../../auth/authorize.ts'
import { stateMapEntries } from '../state-map.ts'
import type { StateMap } from '../state-map.ts'
import { openRoom } from './auth-checks.ts'
import { createLedger } from './ledger.ts'
import type { ResolutionNeeds, ResolutionSource } from './ledger.ts'
import { partition } from './partition.ts'
import { resolveState } from './resolution.ts'
import { fullConflictedSet } from './resolve-v2.ts'
import { naiveRoom, naively, namedState, problemOf, textOf } from './testing/compare.ts'
import type { Dag } from './testing/dag.ts'
import { createDice } from './testing/dice.ts'
import { naiveFullConflictedSet } from './testing/naive-v2.ts'
import { randomRoom } from './testing/random-room.ts'
import type { Algorithm } from './testing/random-room.ts'

const ALGORITHMS: readonly Algorithm[] = ['v1', 'v2', 'v2.1']

for (const algorithm of ALGORITHMS) {
  describe(`state resolution ${algorithm} of random rooms`, () => {
    it('is that of the naive implementation, in any order, with any ids, and settles', () => {
      for (let seed = 0; seed < 200; seed += 1) {
        const problem = problemOf(algorithm, seed)
        assert.equal(problem, undefined, `${algorithm}, seed ${seed}: ${problem}`)
      }
    })

    it('is the same when everything is loaded on demand', () => {
      for (let seed = 1000; seed < 1200; seed += 1) {
        const { dag, states } = randomRoom(algorithm, seed)
        const result = drive(dag, states, new Set())
        assert.deepEqual(stateMapEntries(result), stateMapEntries(dag.resolve(states)), `seed ${seed}`)
      }
    })

    it('is that of the naive implementation when events are missing', () => {
      for (let seed = 2000; seed < 2200; seed += 1) {
        const { dag, states } = randomRoom(algorithm, seed)
        const missing = someMissing(dag, seed)
        const found = textOf(namedState(dag, drive(dag, states, missing)))
        assert.equal(found, textOf(naively(dag, states, naiveRoom(dag, missing))), `seed ${seed}`)
      }
    })

    it('has, of honest states, only events of the states or their auth chains that their own auth events allow', () => {
      for (let seed = 3000; seed < 3150; seed += 1) {
        const { dag, honestStates } = randomRoom(algorithm, seed)
        for (const [, nid] of stateMapEntries(dag.resolve(honestStates))) assertSound(dag, nid)
      }
    })
  })
}

describe('the full conflicted set of random rooms', () => {
  for (const algorithm of ['v2', 'v2.1'] as const) {
    it(`is that of the naive implementation in ${algorithm}`, () => {
      for (let seed = 4000; seed < 4300; seed += 1) {
        const { dag, states } = randomRoom(algorithm, seed)
        const named = states.map((state) => namedState(dag, state))
        const expected = [...naiveFullConflictedSet(naiveRoom(dag), named, algorithm)]
        const found = fullSetOf(dag, states, algorithm).map((nid) => dag.events[nid]!.pdu.eventId)
        assert.deepEqual(found.sort(), expected.sort(), `seed ${seed}`)
      }
    })
  }
})

function fullSetOf(dag: Dag, states: readonly StateMap[], algorithm: Algorithm): number[] {
  const ledger = createLedger(dag.source)
  const room = finish(openRoom(dag.rules, ledger, states))
  const parts = finish(partition(ledger, states))
  return [...finish(fullConflictedSet(room, parts, algorithm === 'v2.1')).keys()]
}

function finish<T>(steps: Generator<unknown, T, void>): T {
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
  }
}

/** Gives what is asked for when it is asked for, once, and never what is missing. */
function drive(dag: Dag, states: readonly StateMap[], missing: ReadonlySet<number>): StateMap {
  const given = { events: new Set<number>(), edges: new Set<number>(), stateKeys: new Set<string>() }
  const source: ResolutionSource = {
    event: (nid) => (given.events.has(nid) && !missing.has(nid) ? dag.events[nid] : undefined),
    authNids: (nid) => (given.edges.has(nid) && !missing.has(nid) ? dag.events[nid]!.authNids : undefined),
    stateKeyNid: (type, key) => (given.stateKeys.has(`${type}|${key}`) ? dag.source.stateKeyNid(type, key) : undefined),
  }
  const resolution = resolveState(dag.rules, states, source)
  for (;;) {
    const step = resolution.next()
    if (step.done === true) return step.value
    give(given, step.value)
  }
}

type Given = { readonly events: Set<number>; readonly edges: Set<number>; readonly stateKeys: Set<string> }

function give(given: Given, { events, edges, stateKeys }: ResolutionNeeds): void {
  const asked = [
    ...events.map((nid) => [given.events, nid] as const),
    ...edges.map((nid) => [given.edges, nid] as const),
    ...stateKeys.map(([type, key]) => [given.stateKeys, `${type}|${key}`] as const),
  ]
  for (const [set, item] of asked) {
    assert.ok(!(set as Set<string | number>).has(item), `asked for ${item} again`)
    ;(set as Set<string | number>).add(item)
  }
}

/** Any events but the create event. */
function someMissing({ events }: Dag, seed: number): Set<number> {
  const dice = createDice(seed)
  return new Set(events.filter(({ nid }) => nid > 0 && dice.chance(15)).map(({ nid }) => nid))
}

function assertSound({ rules, events }: Dag, nid: number): void {
  const { pdu, authNids, rejected } = events[nid]!
  assert.ok(!rejected, `${pdu.eventId} was rejected`)
  const cited = [...(rules.roomIdIsCreateHash ? [events[0]!] : []), ...authNids.map((auth) => events[auth]!)]
  const get = (type: string, stateKey: string) =>
    cited.find((event) => event.pdu.type === type && event.pdu.stateKey === stateKey)?.pdu
  assert.ok(authorize(rules, pdu, { get }).allowed, `${pdu.eventId} is not allowed by what it cites`)
}
