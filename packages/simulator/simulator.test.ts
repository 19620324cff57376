import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { failureText } from './command/failure-text.ts'
import { readOptions } from './command/options.ts'
import { PINNED_SEEDS } from './pinned-seeds.ts'
import { runSeed } from './run-seed.ts'
import { planOf } from './world/plan.ts'

describe('the simulator', () => {
  it('makes the same trace of the same seed, with crashes, losses and partitions', async () => {
    const seed = 5
    const plan = planOf(seed)
    assert.ok(plan.crashes > 0 && plan.links.loss > 0)
    const first = await runSeed(seed)
    const second = await runSeed(seed)
    assert.equal(second.digest, first.digest)
    assert.equal(second.steps, first.steps)
    assert.ok(first.exchanges > 50)
    assert.notEqual((await runSeed(3)).digest, first.digest)
  })

  for (const { seed, found } of PINNED_SEEDS) {
    it(`breaks no rule in seed ${seed}: ${found}`, async () => {
      const result = await runSeed(seed)
      assert.deepEqual(result.violations, [], failureText({ ...result, plan: JSON.stringify(planOf(seed)) }))
    })
  }

  it('refuses options that are no whole numbers, and says how it is called', () => {
    for (const args of [['--seeds', '0'], ['--first', '1.5'], ['--jobs', 'x'], ['--what']]) {
      const read = readOptions(args)
      assert.ok(!read.ok && read.message.includes('npm run simulate'))
    }
  })
})
