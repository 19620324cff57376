import assert from 'node:assert/strict'
import { test } from 'node:test'
import { expectAllOnce, findFaults, type Sent } from './ledger.ts'

function event(event_id: string, type = 'm.room.message') {
  return { event_id, type, sender: '@a:b', content: {} }
}

const NONE = { lost: 0, duplicated: 0, reordered: 0, unknown: 0 }

function sent(eventId: string, startMs: number, endMs: number): Sent {
  return { roomId: '!r', eventId, startMs, endMs }
}

const A = sent('$a', 0, 10)
const B = sent('$b', 11, 20)
const C = sent('$c', 12, 19)

test('every event once, in the order of sending, is without fault', () => {
  assert.deepEqual(findFaults([A, B, C], ['$a', '$b', '$c']), NONE)
})

test('sends that overlap may stand in either order', () => {
  assert.deepEqual(findFaults([A, B, C], ['$a', '$c', '$b']), NONE)
})

test('an event after one that began later than its answer is reordered', () => {
  assert.deepEqual(findFaults([A, B, C], ['$b', '$a', '$c']), { ...NONE, reordered: 1 })
})

test('lost, duplicated and unknown events are counted', () => {
  assert.deepEqual(findFaults([A, B, C], ['$a', '$b']), { ...NONE, lost: 1 })
  assert.deepEqual(findFaults([A, B], ['$a', '$b', '$b']), { ...NONE, duplicated: 1 })
  assert.deepEqual(findFaults([A], ['$a', '$z']), { ...NONE, unknown: 1 })
})

test('one event id acknowledged for two sends is a duplicate', () => {
  assert.deepEqual(findFaults([A, A], ['$a']), { ...NONE, duplicated: 1 })
})

test('a fault stops the run with counts, other event types do not matter', () => {
  expectAllOnce('x', [A], [event('$s', 'm.room.create'), event('$a')])
  assert.throws(() => expectAllOnce('x', [A, B], [event('$b'), event('$b')]), /2 acknowledged.*1 lost, 1 duplicated/)
})
