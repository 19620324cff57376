/** The contract of reads and values: what was committed is read, unchanged, by both readers. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DatabaseError, statement } from '../database.ts'
import { integerList, sql, textList } from '../sql.ts'
import type { Engine } from './place.ts'
import { entry, insertEntry } from './statements.ts'

const TEXTS = [
  '',
  'plain',
  'quote \' " \\ {,} NULL',
  'nul \0 in \0\0',
  '\0',
  '\ud800 alone \udfff',
  '\u{1F600}é',
  '\uFDD0',
  '\uFDD00000',
  '\uFFFF',
]

export function readContract(engine: Engine): void {
  describe(`${engine.name}: reads`, () => {
    it('see what was acknowledged', async () => {
      await using place = await engine.place()
      await using database = await place.open()
      for (let id = 0; id < 50; id += 1) {
        await database.commit([insertEntry(id)])
        const [point, heavy] = await Promise.all([entry(database, id), entry(database.heavy, id)])
        assert.equal(point?.id, id)
        assert.equal(heavy?.id, id)
      }
    })

    it('answer undefined for no row, and the first of several', async () => {
      await using place = await engine.place()
      await using database = await place.open()
      await database.commit([insertEntry(1), insertEntry(2)])
      for (const reader of [database, database.heavy]) {
        assert.equal(await entry(reader, 9), undefined)
        assert.deepEqual(await reader.row(sql`SELECT id FROM entries ORDER BY id DESC`), { id: 2 })
        assert.deepEqual(await reader.column(sql`SELECT id, kind FROM entries ORDER BY id DESC`), [2, 1])
        assert.deepEqual(await reader.all(sql`SELECT id FROM entries WHERE id > ${5}`), [])
      }
    })

    it('take lists', async () => {
      await using place = await engine.place()
      await using database = await place.open()
      await database.commit(TEXTS.map((name, id) => insertEntry(id, { name })))
      const ids = (values: readonly number[]) =>
        database.column(sql`SELECT id FROM entries WHERE id IN ${integerList(values)} ORDER BY id`)
      assert.deepEqual(await ids([]), [])
      assert.deepEqual(await ids([3, 1, 1, 99, -1]), [1, 3])
      const many = Array.from({ length: 40_000 }, (_, index) => index + 2)
      assert.equal((await ids(many)).length, TEXTS.length - 2)
      const named = (values: readonly string[]) =>
        database.column(sql`SELECT id FROM entries WHERE name IN ${textList(values)} ORDER BY id`)
      assert.deepEqual(await named([]), [])
      assert.deepEqual(await named(TEXTS), [...TEXTS.keys()])
      const others = sql`SELECT id FROM entries WHERE name NOT IN ${textList(TEXTS.slice(1))} AND kind = ${0}`
      assert.deepEqual(await database.heavy.column(others), [0])
    })

    it('refuse a list parameter that does not follow IN', async () => {
      await using place = await engine.place()
      await using database = await place.open()
      await assert.rejects(database.all(sql`SELECT id FROM entries WHERE id = ${integerList([1])}`), Error)
    })

    it('give text back as it was written, whatever is in it', async () => {
      await using place = await engine.place()
      await using database = await place.open()
      await database.commit(TEXTS.map((name, id) => insertEntry(id, { name })))
      for (const reader of [database, database.heavy]) {
        assert.deepEqual(await reader.column<string>(sql`SELECT name FROM entries ORDER BY id`), TEXTS)
        for (const [id, name] of TEXTS.entries()) {
          assert.deepEqual(await reader.column(sql`SELECT id FROM entries WHERE name = ${name}`), [id])
        }
      }
    })

    it('sort text by code point', async () => {
      await using place = await engine.place()
      await using database = await place.open()
      const sorted = ['A', 'Z', '_', 'a', 'b', 'z', 'é', '\uFFFD', '\u{1F600}']
      await database.commit([...sorted].reverse().map((name, id) => insertEntry(id, { name })))
      assert.deepEqual(await database.column<string>(sql`SELECT name FROM entries ORDER BY name`), sorted)
    })

    it('give bytes back as Uint8Array', async () => {
      await using place = await engine.place()
      await using database = await place.open()
      const all = Uint8Array.from({ length: 256 }, (_, byte) => byte)
      const values = [new Uint8Array(), all, all.subarray(7, 9), Buffer.from('pooled')]
      await database.commit(values.map((data, id) => insertEntry(id, { data })))
      for (const reader of [database, database.heavy]) {
        const read = await reader.column<Uint8Array>(sql`SELECT data FROM entries ORDER BY id`)
        assert.deepEqual(
          read,
          values.map((value) => Uint8Array.from(value)),
        )
      }
    })

    it('give integers back exactly, or not at all', async () => {
      await using place = await engine.place()
      await using database = await place.open()
      const amounts = [0, -1, 2 ** 31, 2 ** 53 - 1, -(2 ** 53) + 1]
      await database.commit(amounts.map((amount, id) => insertEntry(id, { amount })))
      assert.deepEqual(await database.column(sql`SELECT amount FROM entries ORDER BY id`), amounts)
      await database.commit([statement(sql`UPDATE entries SET amount = amount + amount WHERE id = ${3}`)])
      const tooBig = sql`SELECT amount FROM entries WHERE id = ${3}`
      await assert.rejects(database.all(tooBig), DatabaseError)
      await assert.rejects(database.heavy.all(tooBig), DatabaseError)
    })

    it('give counts, sums and truth as numbers', async () => {
      await using place = await engine.place()
      await using database = await place.open()
      await database.commit([insertEntry(1, { amount: 5 }), insertEntry(2, { amount: 7 })])
      const query = sql`SELECT COUNT(*) AS entries, SUM(amount) AS amount, MAX(amount) > ${6} AS big FROM entries`
      assert.deepEqual(await database.row(query), { entries: 2, amount: 12, big: 1 })
    })

    it('calculate with integer parameters as integers', async () => {
      await using place = await engine.place()
      await using database = await place.open()
      await database.commit([insertEntry(1, { amount: 7 })])
      assert.deepEqual(await database.column(sql`SELECT amount / ${2} FROM entries`), [3])
    })

    it('take a limit and an offset as parameters', async () => {
      await using place = await engine.place()
      await using database = await place.open()
      await database.commit([1, 2, 3, 4].map((id) => insertEntry(id)))
      const page = sql`SELECT id FROM entries ORDER BY id LIMIT ${2} OFFSET ${1}`
      assert.deepEqual(await database.column(page), [2, 3])
    })

    it('leave the event loop free while a heavy one runs', async () => {
      await using place = await engine.place()
      await using database = await place.open()
      const heavy = database.heavy.row(sql`
        WITH RECURSIVE numbers (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < ${1_000_000})
        SELECT COUNT(*) AS count FROM numbers`)
      let turns = 0
      const watch = setInterval(() => (turns += 1), 1)
      assert.deepEqual(await heavy, { count: 1_000_000 })
      clearInterval(watch)
      assert.ok(turns > 20, `the loop turned ${turns} times`)
    })

    it('run at the same time without mixing their answers', async () => {
      await using place = await engine.place()
      await using database = await place.open()
      const ids = Array.from({ length: 300 }, (_, id) => id)
      await database.commit(ids.map((id) => insertEntry(id)))
      const reads = ids.map((id) => entry(id % 2 === 0 ? database : database.heavy, id))
      assert.deepEqual(
        (await Promise.all(reads)).map((row) => row?.id),
        ids,
      )
    })
  })
}
