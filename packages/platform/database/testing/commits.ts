/** The contract of `commit`: order, atomicity, expectations, and lists that do not disturb each other. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ConstraintFailed, DatabaseError, ExpectationFailed, statement } from '../database.ts'
import { sql } from '../sql.ts'
import type { Engine } from './place.ts'
import { countEntries, entry, entryIds, insertEntry, moveAmount } from './statements.ts'

export function commitContract(engine: Engine): void {
  describe(`${engine.name}: commit`, () => {
    it('applies the statements of a list in order', async () => {
      await using place = await engine.place()
      await using database = await place.open()
      const moves = [moveAmount(1, { from: 1, to: 2 }), moveAmount(1, { from: 2, to: 3 })]
      await database.commit([insertEntry(1, { amount: 1 }), ...moves])
      assert.equal((await entry(database, 1))?.amount, 3)
    })

    it('applies lists in the order of the calls', async () => {
      await using place = await engine.place()
      await using database = await place.open()
      await database.commit([insertEntry(1, { amount: 0 })])
      const steps = Array.from({ length: 300 }, (_, step) => moveAmount(1, { from: step, to: step + 1 }))
      await Promise.all(steps.map((step) => database.commit([step])))
      assert.equal((await entry(database, 1))?.amount, 300)
    })

    it('applies a list of thousands of statements as one', async () => {
      await using place = await engine.place()
      await using database = await place.open()
      const inserts = Array.from({ length: 6000 }, (_, id) => insertEntry(id))
      let turns = 0
      const watch = setInterval(() => (turns += 1), 0)
      const [long, short] = await Promise.all([database.commit(inserts), database.commit([insertEntry(7000)])])
      clearInterval(watch)
      assert.ok(turns > 5, `the loop turned ${turns} times meanwhile`)
      assert.equal(long.results.length, 6000)
      assert.equal(short.results.length, 1)
      assert.equal(await countEntries(database), 6001)
    })

    it('undoes the whole list when one statement breaks its expectation, and names that statement', async () => {
      await using place = await engine.place()
      await using database = await place.open()
      const list = [insertEntry(1), moveAmount(99, { from: 0, to: 1 }), insertEntry(2)]
      await assert.rejects(database.commit(list), (error) => {
        assert.ok(error instanceof ExpectationFailed)
        assert.equal(error.index, 1)
        assert.deepEqual(error.result, { changes: 0, rows: [] })
        return true
      })
      assert.equal(await countEntries(database), 0)
    })

    it('refuses only the lists that are to blame', async () => {
      await using place = await engine.place()
      await using database = await place.open()
      const outcomes = await Promise.allSettled([
        database.commit([insertEntry(1), insertEntry(2)]),
        database.commit([insertEntry(3), insertEntry(1)]),
        database.commit([insertEntry(3)]),
        database.commit([insertEntry(4), moveAmount(99, { from: 0, to: 1 })]),
        database.commit([insertEntry(5)]),
      ])
      assert.deepEqual(
        outcomes.map(({ status }) => status),
        ['fulfilled', 'rejected', 'fulfilled', 'rejected', 'fulfilled'],
      )
      assert.deepEqual(await entryIds(database), [1, 2, 3, 5])
    })

    it('lets a list see what the lists before it did, and nothing of the refused ones', async () => {
      await using place = await engine.place()
      await using database = await place.open()
      const refused = database.commit([insertEntry(1, { amount: 7 }), insertEntry(1)])
      const onRefused = database.commit([moveAmount(1, { from: 7, to: 8 })])
      const accepted = database.commit([insertEntry(2, { amount: 7 })])
      const onAccepted = database.commit([moveAmount(2, { from: 7, to: 8 })])
      await assert.rejects(refused, ConstraintFailed)
      await assert.rejects(onRefused, ExpectationFailed)
      await Promise.all([accepted, onAccepted])
    })

    it('checks how many rows a statement returned', async () => {
      await using place = await engine.place()
      await using database = await place.open()
      await database.commit([insertEntry(1), insertEntry(2)])
      const remove = sql`DELETE FROM entries WHERE id > ${0} RETURNING id`
      await assert.rejects(database.commit([statement(remove, { rows: 1 })]), ExpectationFailed)
      await assert.rejects(database.commit([statement(remove, { atLeastRows: 3 })]), ExpectationFailed)
      const { results } = await database.commit([statement(remove, { atLeastRows: 2 })])
      assert.equal(results[0]?.changes, 2)
    })

    it('groups the lists that wait', async () => {
      await using place = await engine.place()
      const groups: number[] = []
      await using database = await place.open({ observer: { committed: ({ lists }) => groups.push(lists) } })
      await Promise.all(Array.from({ length: 1000 }, (_, id) => database.commit([insertEntry(id)])))
      assert.equal(await countEntries(database), 1000)
      assert.equal(
        groups.reduce((sum, lists) => sum + lists, 0),
        1000,
      )
      assert.ok(groups.length <= 10, `${groups.length} transactions for 1000 lists`)
    })

    it('goes on after any refusal', async () => {
      await using place = await engine.place()
      await using database = await place.open()
      for (let round = 0; round < 20; round += 1) {
        await assert.rejects(database.commit([insertEntry(0, { amount: -1313 })]), ConstraintFailed)
        await database.commit([insertEntry(round)])
      }
      assert.equal(await countEntries(database), 20)
    })

    it('accepts an empty list', async () => {
      await using place = await engine.place()
      await using database = await place.open()
      assert.deepEqual(await database.commit([]), { firstPosition: undefined, results: [] })
    })

    it('writes the bytes as they were at the call', async () => {
      await using place = await engine.place()
      await using database = await place.open()
      const data = new Uint8Array([1, 2, 3])
      const committing = database.commit([insertEntry(1, { data })])
      data.fill(9)
      await committing
      assert.deepEqual((await entry(database, 1))?.data, new Uint8Array([1, 2, 3]))
    })
  })

  refusalContract(engine)
  resultContract(engine)
}

function refusalContract(engine: Engine): void {
  describe(`${engine.name}: refusals`, () => {
    const broken = {
      unique: insertEntry(1, { name: 'taken' }),
      check: insertEntry(2, { amount: -1313 }),
      'not-null': insertEntry(2, { kind: null }),
      'foreign-key': statement(sql`INSERT INTO tally (name, entry, count) VALUES (${'x'}, ${99}, ${1})`),
    }
    for (const [constraint, list] of Object.entries(broken)) {
      it(`names a broken ${constraint} constraint`, async () => {
        await using place = await engine.place()
        await using database = await place.open()
        await database.commit([insertEntry(1, { name: 'taken' })])
        await assert.rejects(database.commit([insertEntry(5), list]), (error) => {
          assert.ok(error instanceof ConstraintFailed)
          assert.equal(error.constraint, constraint)
          assert.equal(error.index, 1)
          return true
        })
        assert.equal(await countEntries(database), 1)
      })
    }

    it('blames the statement for a mistake in its text', async () => {
      await using place = await engine.place()
      await using database = await place.open()
      const list = [insertEntry(1), statement(sql`INSERT INTO nowhere (id) VALUES (${1})`)]
      await assert.rejects(database.commit(list), (error) => {
        assert.ok(error instanceof DatabaseError)
        assert.equal(error.index, 1)
        return true
      })
      await assert.rejects(database.all(sql`SELECT nothing FROM nowhere`), DatabaseError)
      await assert.rejects(database.heavy.all(sql`SELECT nothing FROM nowhere`), DatabaseError)
      assert.equal(await countEntries(database), 0)
    })

    it('refuses what no column can hold before anything is written', async () => {
      await using place = await engine.place()
      await using database = await place.open()
      for (const amount of [2 ** 53, Number.NaN, Number.POSITIVE_INFINITY, undefined as never, true as never]) {
        await assert.rejects(database.commit([statement(sql`UPDATE entries SET amount = ${amount}`)]), TypeError)
      }
    })
  })
}

function resultContract(engine: Engine): void {
  describe(`${engine.name}: results`, () => {
    it('returns the rows of RETURNING', async () => {
      await using place = await engine.place()
      await using database = await place.open()
      const insert = sql`INSERT INTO entries (id, name, data, kind)
        VALUES (${1}, ${'one'}, ${new Uint8Array([0, 255])}, ${5}) RETURNING id, name, data, amount, kind`
      const { results } = await database.commit([statement(insert, { rows: 1 })])
      const row = { id: 1, name: 'one', data: new Uint8Array([0, 255]), amount: null, kind: 5 }
      assert.deepEqual(results, [{ changes: 1, rows: [row] }])
    })

    it('counts the rows that changed', async () => {
      await using place = await engine.place()
      await using database = await place.open()
      const { results } = await database.commit([
        insertEntry(1),
        insertEntry(2),
        statement(sql`UPDATE entries SET kind = ${1}`),
        statement(sql`UPDATE entries SET kind = ${1} WHERE id > ${5}`),
        statement(sql`SELECT id FROM entries`, { rows: 2 }),
        statement(sql`DELETE FROM entries`),
      ])
      assert.deepEqual(
        results.map(({ changes }) => changes),
        [1, 1, 2, 0, 0, 2],
      )
    })

    it('claims with ON CONFLICT DO NOTHING, which changes nothing the second time', async () => {
      await using place = await engine.place()
      await using database = await place.open()
      const claim = sql`INSERT INTO entries (id, name, kind) VALUES (${1}, ${'claim'}, ${0}) ON CONFLICT DO NOTHING`
      const first = database.commit([statement(claim, { changes: 1 })])
      const second = database.commit([statement(claim, { changes: 1 })])
      await first
      await assert.rejects(second, ExpectationFailed)
    })

    it('counts with an upsert that returns the new value', async () => {
      await using place = await engine.place()
      await using database = await place.open()
      await database.commit([insertEntry(1)])
      const increment = sql`INSERT INTO tally (name, entry, count) VALUES (${'t'}, ${1}, ${1})
        ON CONFLICT (name, entry) DO UPDATE SET count = tally.count + excluded.count RETURNING count`
      const lists = Array.from({ length: 50 }, () => database.commit([statement(increment, { rows: 1 })]))
      const counts = (await Promise.all(lists)).map(({ results }) => results[0]?.rows[0]?.['count'])
      assert.deepEqual(
        counts,
        Array.from({ length: 50 }, (_, index) => index + 1),
      )
    })
  })
}
