import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BEGUN_PER_TURN, fewPerTurn } from './turns.ts'

const turn = () => new Promise((resolve) => void setImmediate(resolve))

test('what a turn cannot begin begins in the next ones, in order, and nothing overtakes it', async () => {
  const begin = fewPerTurn()
  const begun: number[] = []
  const call = (number: number) => begin(() => void begun.push(number))
  const first = 2 * BEGUN_PER_TURN + 1
  for (let number = 0; number < first; number += 1) call(number)
  assert.equal(begun.length, BEGUN_PER_TURN)
  await turn()
  assert.equal(begun.length, 2 * BEGUN_PER_TURN)
  call(first)
  assert.equal(begun.length, 2 * BEGUN_PER_TURN)
  await turn()
  assert.deepEqual(
    begun,
    Array.from({ length: first + 1 }, (_, index) => index),
  )
  await turn()
  await turn()
  call(first + 1)
  assert.equal(begun.at(-1), first + 1)
})

test('what comes while the others begin waits its turn', async () => {
  const begin = fewPerTurn()
  let begun = 0
  const again = () => {
    begun += 1
    if (begun < 2 * BEGUN_PER_TURN) begin(again)
  }
  begin(again)
  assert.equal(begun, BEGUN_PER_TURN)
  await turn()
  assert.equal(begun, 2 * BEGUN_PER_TURN)
})
