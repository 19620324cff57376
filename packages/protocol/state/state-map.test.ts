import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import {
  applyStateChanges,
  diffStateMaps,
  emptyStateMap,
  STATE_KEY_MAX,
  STATE_VALUE_MAX,
  type StateMap,
  stateMapEntries,
  stateMapGet,
  stateMapOf,
  stateMapRemove,
  stateMapSet,
} from './state-map.ts'
import { cpuMillisecondsOf } from '../testing/cpu-time.ts'

const KEY = fc.oneof(
  fc.nat(40),
  fc.nat(2000),
  fc.nat(STATE_KEY_MAX),
  fc.constantFrom(0, 31, 32, 33, 1023, 1024, 2 ** 30, 2 ** 30 - 1, STATE_KEY_MAX, STATE_KEY_MAX - 1),
)
const VALUE = fc.oneof(fc.nat(5), fc.nat(), fc.constantFrom(STATE_VALUE_MAX, 2 ** 32, 2 ** 31))
const STEP = fc.record({ key: KEY, after: fc.option(VALUE, { nil: undefined }) })
const STEPS = fc.array(STEP, { maxLength: 200 })

type Step = { readonly key: number; readonly after: number | undefined }

function asMap(steps: readonly Step[], start: ReadonlyMap<number, number> = new Map()): Map<number, number> {
  const map = new Map(start)
  for (const { key, after } of steps) {
    if (after === undefined) map.delete(key)
    else map.set(key, after)
  }
  return map
}

function sorted(map: ReadonlyMap<number, number>): [number, number][] {
  return [...map].sort(([left], [right]) => left - right)
}

/** Nodes of the first map that the second does not share. */
function ownNodes(map: StateMap, other: StateMap): number {
  const shared = new Set<unknown>()
  const collect = (node: StateMap['root'] | number): void => {
    if (typeof node !== 'object') return
    shared.add(node)
    for (const child of node.children) collect(child)
  }
  collect(other.root)
  const before = shared.size
  collect(map.root)
  return shared.size - before
}

describe('state map', () => {
  it('does what a Map does, in the order of the keys', () => {
    fc.assert(
      fc.property(STEPS, (steps) => {
        const expected = asMap(steps)
        const map = applyStateChanges(emptyStateMap(), steps)
        assert.deepEqual(stateMapEntries(map), sorted(expected))
        assert.equal(map.size, expected.size)
        for (const { key } of steps) {
          assert.equal(stateMapGet(map, key), expected.get(key))
          assert.equal(stateMapGet(map, key ^ 1), expected.get(key ^ 1))
        }
      }),
      { numRuns: 500 },
    )
  })

  it('has a shape that depends on its entries alone', () => {
    fc.assert(
      fc.property(STEPS, (steps) => {
        const map = applyStateChanges(emptyStateMap(), steps)
        assert.deepEqual(map, stateMapOf(sorted(asMap(steps)).toReversed()))
      }),
    )
  })

  it('leaves the older map as it was', () => {
    fc.assert(
      fc.property(STEPS, STEPS, (first, second) => {
        const older = applyStateChanges(emptyStateMap(), first)
        const entries = stateMapEntries(older)
        applyStateChanges(older, second)
        assert.deepEqual(stateMapEntries(older), entries)
      }),
    )
  })

  it('is the same map when nothing changes', () => {
    const map = stateMapOf([[5, 1], [70, 2], [4000, 3]]) // prettier-ignore
    assert.equal(stateMapSet(map, 70, 2), map)
    assert.equal(stateMapRemove(map, 71), map)
    assert.equal(stateMapRemove(emptyStateMap(), 1), emptyStateMap())
    assert.equal(stateMapRemove(stateMapOf([[5, 1]]), 5), emptyStateMap())
  })

  it('shares all but one path with the map it was made from', () => {
    const large = stateMapOf(Array.from({ length: 50_000 }, (_, index) => [index * 3, index] as const))
    assert.ok(ownNodes(stateMapSet(large, 75_000, 1), large) <= 7)
    assert.ok(ownNodes(stateMapRemove(large, 75_000), large) <= 7)
  })

  it('refuses what are no ids', () => {
    for (const [key, value] of [
      [-1, 0],
      [0.5, 0],
      [STATE_KEY_MAX + 1, 0],
      [0, -1],
      [0, 0.5],
      [0, STATE_VALUE_MAX + 1],
      [Number.NaN, 0],
    ] as const) {
      assert.throws(() => stateMapSet(emptyStateMap(), key, value), RangeError)
    }
    assert.equal(stateMapGet(emptyStateMap(), 1), undefined)
  })
})

describe('difference of state maps', () => {
  it('is what turns the first into the second, in the order of the keys', () => {
    fc.assert(
      fc.property(STEPS, STEPS, fc.boolean(), (first, second, related) => {
        const before = applyStateChanges(emptyStateMap(), first)
        const after = applyStateChanges(related ? before : emptyStateMap(), second)
        const old = asMap(first)
        const now = asMap(second, related ? old : new Map())
        const keys = [...new Set([...old.keys(), ...now.keys()])].sort((left, right) => left - right)
        const expected = keys
          .map((key) => ({ key, before: old.get(key), after: now.get(key) }))
          .filter((change) => change.before !== change.after)
        const changes = diffStateMaps(before, after)
        assert.deepEqual(changes, expected)
        assert.deepEqual(applyStateChanges(before, changes), after)
      }),
      { numRuns: 500 },
    )
  })

  it('costs what differs, not what the room holds', () => {
    const large = stateMapOf(Array.from({ length: 100_000 }, (_, index) => [index, index] as const))
    const changed = stateMapSet(stateMapRemove(large, 7), 99_999, 1)
    diffStateMaps(large, changed)
    const spentMs = cpuMillisecondsOf(() => {
      for (let round = 0; round < 100; round += 1) assert.equal(diffStateMaps(large, changed).length, 2)
    })
    assert.ok(spentMs < 100, `${spentMs} ms`)
  })
})
