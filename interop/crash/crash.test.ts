import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { seeded } from './seeded.ts'

function crash(...args: readonly string[]): { status: number | null; output: string } {
  const { status, stdout } = spawnSync(
    process.execPath,
    [join(import.meta.dirname, 'run.ts'), '--cycles', '1', ...args],
    {
      encoding: 'utf8',
      env: { ...process.env, NODE_TEST_CONTEXT: undefined },
    },
  )
  return { status, output: stdout }
}

test('one cycle passes, and says how to repeat it', () => {
  const { status, output } = crash('--seed', 'one')
  assert.equal(status, 0, output)
  assert.match(output, /--seed one/)
})

for (const [lie, found] of [
  ['lost', /lost: message never-sent/],
  ['double', /2 times, not 1/],
  ['order', /out of order/],
  ['note', /to-device messages .*: 0 items, not 1/],
  ['state', /not "never-set"/],
] as const) {
  test(`the checker finds what is ${lie === 'note' || lie === 'state' ? `a lost ${lie}` : lie}`, () => {
    const { status, output } = crash('--lie', lie)
    assert.equal(status, 1, output)
    assert.match(output, found)
  })
}

test('the same seed makes the same choices, and forks do not disturb each other', () => {
  const draw = (seed: string, name: string) => {
    const chance = seeded(seed).fork(name)
    return Array.from({ length: 20 }, () => chance.between(1, 1000))
  }
  assert.deepEqual(draw('x', 'a'), draw('x', 'a'))
  assert.notDeepEqual(draw('x', 'a'), draw('x', 'b'))
  assert.notDeepEqual(draw('x', 'a'), draw('y', 'a'))
})
