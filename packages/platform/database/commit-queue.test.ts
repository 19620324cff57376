import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { CommitQueue, nextTurn, type GroupWriter } from './commit-queue.ts'
import { DatabaseUnavailable } from './database.ts'
import { guarded } from './observer.ts'

const LIST = { statements: [], positions: 0 }

function aQueue(write: GroupWriter<never>, observer = {}) {
  return new CommitQueue<never>(write, observer, () => {})
}

const accept: GroupWriter<never> = async (lists) =>
  lists.map(() => ({ kind: 'committed', firstPosition: undefined, results: [] }))

describe('commit queue', () => {
  it('forms a group of what was called in one turn, and the next of what waits meanwhile', async () => {
    const groups: number[] = []
    const queue = aQueue(async (lists) => {
      groups.push(lists.length)
      await nextTurn()
      return accept(lists)
    })
    const first = [queue.commit(LIST), queue.commit(LIST)]
    await nextTurn()
    await Promise.all([...first, queue.commit(LIST), queue.commit(LIST), queue.commit(LIST)])
    assert.deepEqual(groups, [2, 3])
  })

  it('answers a large group over several turns, in the order of its lists', async () => {
    const queue = aQueue(accept)
    const answered: { index: number; turn: number }[] = []
    let turn = 0
    const commits = Array.from({ length: 40 }, (_, index) =>
      queue.commit(LIST).then(() => answered.push({ index, turn })),
    )
    while (answered.length < commits.length) {
      await nextTurn()
      turn += 1
    }
    assert.deepEqual(
      answered.map(({ index }) => index),
      Array.from(commits.keys()),
    )
    for (const { turn: one } of answered) {
      assert.ok(answered.filter((other) => other.turn === one).length <= 16)
    }
  })

  it('writes the next group while it answers one, and answers it after that', async () => {
    const written: number[] = []
    const answered: string[] = []
    const queue = aQueue(async (lists) => {
      written.push(answered.length)
      return accept(lists)
    })
    const first = Array.from({ length: 40 }, () => queue.commit(LIST).then(() => answered.push('first')))
    await nextTurn()
    const second = queue.commit(LIST).then(() => answered.push('second'))
    await Promise.all([...first, second])
    assert.ok(written[1]! < 40)
    assert.equal(answered.at(-1), 'second')
    await queue.close()
  })

  it('refuses the lists of a writer that throws, and goes on', async () => {
    let broken = true
    const queue = aQueue((lists) => (broken ? Promise.reject(new Error('broken')) : accept(lists)))
    await assert.rejects(queue.commit(LIST), DatabaseUnavailable)
    broken = false
    await queue.commit(LIST)
  })

  it('runs a task between groups, and hands its failure to the caller', async () => {
    let writing = false
    const queue = aQueue(async (lists) => {
      writing = true
      await nextTurn()
      writing = false
      return accept(lists)
    })
    const commits = [queue.commit(LIST)]
    await nextTurn()
    const task = queue.exclusively(async () => {
      for (let turn = 0; turn < 3; turn += 1) {
        assert.equal(writing, false)
        commits.push(queue.commit(LIST))
        await nextTurn()
      }
      return 'done'
    })
    assert.equal(await task, 'done')
    await assert.rejects(
      queue.exclusively(() => Promise.reject(new Error('mine'))),
      /mine/,
    )
    await Promise.all(commits)
  })

  it('goes on when a metric throws, and lets the mistake be seen', async () => {
    let mistakes = 1
    const committed = () => {
      mistakes -= 1
      if (mistakes === 0) throw new Error('a mistake in a metric')
    }
    const seen = once(process, 'warning')
    const queue = aQueue(accept, guarded({ committed }))
    await queue.commit(LIST)
    assert.match(String((await seen)[0]), /a mistake in a metric/)
    await queue.commit(LIST)
  })
})
