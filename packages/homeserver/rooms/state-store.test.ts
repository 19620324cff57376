import assert from 'node:assert/strict'
import { test } from 'node:test'
import { emptyStateMap, stateMapEntries, stateMapSet, type StateMap } from '@holdfast/protocol/state/state-map'
import { startTestHomeserver } from '../testing/homeserver.ts'
import { anchorSequenceOf, nextState, openStateStore, storeState, type RoomState } from './state-store.ts'

test('every snapshot is at most five rows from a complete one, and its anchor is among the ancestors it has', () => {
  let state: RoomState = nextState(1, emptyStateMap(), undefined)
  for (let sequence = 1; sequence < 10_000; sequence += 1) {
    state = nextState(sequence + 1, emptyStateMap(), state)
    assert.equal(state.anchor?.sequence, anchorSequenceOf(sequence))
    let rows = 1
    for (let anchor = state.anchor; anchor !== undefined; anchor = anchor.anchor) rows += 1
    assert.equal(rows <= 5, true)
  }
})

test('any state of 5,000 changes is read back as it was, and a change costs few bytes', async () => {
  await using server = await startTestHomeserver()
  const { db } = server.parts
  const roomNid = 1_000_000
  const members = 500
  const states: RoomState[] = []
  let map: StateMap = emptyStateMap()
  let statements = []
  for (let change = 0; change < 5_000; change += 1) {
    map = stateMapSet(map, (change * 7919) % members, 5_000_000 + change)
    const state = nextState(1_000_000_000 + change, map, states.at(-1))
    states.push(state)
    statements.push(storeState(state, roomNid))
    if (statements.length === 1_000) {
      await db.commit(statements)
      statements = []
    }
  }
  const bytes = statementsBytes(states)
  assert.equal(bytes / states.length < 130, true, `${bytes / states.length} bytes a change`)
  for (const at of [0, 1, 7, 8, 63, 64, 511, 512, 4_095, 4_096, 4_097, 4_999]) {
    const loaded = await openStateStore(db).load(states[at]!.nid)
    assert.deepEqual(stateMapEntries(loaded.map), stateMapEntries(states[at]!.map))
    assert.equal(loaded.sequence, at)
  }
})

function statementsBytes(states: readonly RoomState[]): number {
  let bytes = 0
  for (const state of states) {
    for (const parameter of storeState(state, 1).sql.parameters) {
      if (parameter instanceof Uint8Array) bytes += parameter.length
    }
  }
  return bytes
}
