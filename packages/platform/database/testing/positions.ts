/** The contract of stream positions: assigned inside the commit, gap-free, never visible before their data. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { ConstraintFailed } from '../database.ts'
import { position, sql } from '../sql.ts'
import type { Engine } from './place.ts'
import { entry, insertAtPosition, insertEntry } from './statements.ts'

export function positionContract(engine: Engine): void {
  describe(`${engine.name}: positions`, () => {
    it('start at 1 and follow the order of the commits without a gap', async () => {
      await using place = await engine.place()
      await using database = await place.open()
      assert.equal(database.lastPosition(), 0)
      const lists = Array.from({ length: 500 }, (_, id) => database.commit([insertAtPosition(id)], { positions: 1 }))
      const positions = (await Promise.all(lists)).map(({ firstPosition }) => firstPosition)
      const expected = Array.from({ length: 500 }, (_, index) => index + 1)
      assert.deepEqual(positions, expected)
      assert.deepEqual(await database.column(sql`SELECT position FROM entries ORDER BY id`), expected)
      assert.equal(database.lastPosition(), 500)
    })

    it('are not used up by refused lists', async () => {
      await using place = await engine.place()
      await using database = await place.open()
      const lists = [1, 1, 2, 1, 3].map((id) => database.commit([insertAtPosition(id)], { positions: 1 }))
      const outcomes = await Promise.allSettled(lists)
      assert.deepEqual(
        outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value.firstPosition : outcome.status)),
        [1, 'rejected', 2, 'rejected', 3],
      )
      await assert.rejects(database.commit([insertAtPosition(3)], { positions: 4 }), ConstraintFailed)
      assert.equal((await database.commit([], { positions: 1 })).firstPosition, 4)
    })

    it('are given to a list in a block, by offset', async () => {
      await using place = await engine.place()
      await using database = await place.open()
      await database.commit([], { positions: 10 })
      const list = [insertAtPosition(1, 2), insertAtPosition(2, 0), insertEntry(3, { amount: position(1) })]
      assert.equal((await database.commit(list, { positions: 3 })).firstPosition, 11)
      assert.equal((await entry(database, 1))?.position, 13)
      assert.equal((await entry(database, 2))?.position, 11)
      assert.equal((await entry(database, 3))?.amount, 12)
      assert.equal((await database.commit([insertEntry(4)])).firstPosition, undefined)
      assert.equal(database.lastPosition(), 13)
    })

    it('must be asked for', async () => {
      await using place = await engine.place()
      await using database = await place.open()
      await assert.rejects(database.commit([insertAtPosition(1)]), RangeError)
      await assert.rejects(database.commit([insertAtPosition(1, 2)], { positions: 2 }), RangeError)
    })

    it('are never visible before their data', async () => {
      await using place = await engine.place()
      await using database = await place.open()
      const lists = Array.from({ length: 300 }, (_, id) => [insertAtPosition(id)])
      const committing: Promise<unknown>[] = []
      for (const list of lists) {
        committing.push(database.commit(list, { positions: 1 }))
        if (committing.length % 3 === 0) await setImmediate()
        const seen = database.lastPosition()
        assert.deepEqual(await database.column(sql`SELECT COUNT(*) FROM entries WHERE position <= ${seen}`), [seen])
      }
      await Promise.all(committing)
      assert.equal(database.lastPosition(), 300)
    })

    it('go on where they were after reopening', async () => {
      await using place = await engine.place()
      {
        await using database = await place.open()
        await database.commit([insertAtPosition(1), insertAtPosition(2, 1)], { positions: 2 })
      }
      await using database = await place.open()
      assert.equal(database.lastPosition(), 2)
      assert.equal((await database.commit([insertAtPosition(3)], { positions: 1 })).firstPosition, 3)
    })
  })
}
