/** The contract of opening and closing: one owner, nothing lost, migrations forward only. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DatabaseLocked, DatabaseUnavailable, SchemaMismatch } from '../database.ts'
import type { Migration } from '../migrations.ts'
import { sql } from '../sql.ts'
import type { Engine } from './place.ts'
import { countEntries, insertAtPosition, insertEntry } from './statements.ts'

export function lifecycleContract(engine: Engine): void {
  describe(`${engine.name}: open and close`, () => {
    it('keeps what was committed', async () => {
      await using place = await engine.place()
      for (let round = 1; round <= 3; round += 1) {
        await using database = await place.open()
        await database.commit([insertAtPosition(round)], { positions: 1 })
        assert.equal(await countEntries(database), round)
      }
    })

    it('refuses a second owner with a sentence', async () => {
      await using place = await engine.place()
      const database = await place.open()
      await assert.rejects(place.open(), (error) => {
        assert.ok(error instanceof DatabaseLocked)
        assert.match(error.message, /in use by another Holdfast process/)
        return true
      })
      await database.commit([insertEntry(1)])
      await database[Symbol.asyncDispose]()
      await using again = await place.open()
      assert.equal(await countEntries(again), 1)
    })

    it('applies what was called before it closes, and refuses what comes after', async () => {
      await using place = await engine.place()
      const database = await place.open()
      const before = Array.from({ length: 100 }, (_, id) => database.commit([insertEntry(id)]))
      const closing = database[Symbol.asyncDispose]()
      await assert.rejects(database.commit([insertEntry(1000)]), DatabaseUnavailable)
      await Promise.all([...before, closing])
      await assert.rejects(countEntries(database), DatabaseUnavailable)
      await assert.rejects(countEntries(database.heavy), DatabaseUnavailable)
      await database[Symbol.asyncDispose]()
      await using again = await place.open()
      assert.equal(await countEntries(again), 100)
    })
  })

  migrationContract(engine)
}

const CATS: Migration = { number: 1, name: 'cats', text: 'CREATE TABLE cats (id {{id}}, name {{text}});' }
const DOGS: Migration = {
  number: 2,
  name: 'dogs',
  text: `
    CREATE TABLE dogs (id {{id}}, name {{text}});
    -- with a row
    INSERT INTO dogs (id, name) VALUES (1, 'rex; the first');
  `,
}

function migrationContract(engine: Engine): void {
  describe(`${engine.name}: migrations`, () => {
    it('are applied once, in order, as they are added', async () => {
      await using place = await engine.place()
      await (await place.open({ migrations: [CATS] }))[Symbol.asyncDispose]()
      await (await place.open({ migrations: [CATS, DOGS] }))[Symbol.asyncDispose]()
      await using database = await place.open({ migrations: [CATS, DOGS] })
      assert.deepEqual(await database.column(sql`SELECT number FROM holdfast_migrations ORDER BY number`), [1, 2])
      assert.deepEqual(await database.all(sql`SELECT id, name FROM dogs`), [{ id: 1, name: 'rex; the first' }])
    })

    it('leave nothing of one that fails, and everything of those before', async () => {
      await using place = await engine.place()
      const broken = { ...DOGS, text: `${DOGS.text} INSERT INTO nowhere (id) VALUES (1);` }
      await assert.rejects(place.open({ migrations: [CATS, broken] }), /migration 2 \(dogs\) failed/)
      await using database = await place.open({ migrations: [CATS, DOGS] })
      assert.deepEqual(await database.column(sql`SELECT number FROM holdfast_migrations ORDER BY number`), [1, 2])
    })

    it('refuse a database of a newer version', async () => {
      await using place = await engine.place()
      await (await place.open({ migrations: [CATS, DOGS] }))[Symbol.asyncDispose]()
      await assert.rejects(place.open({ migrations: [CATS] }), (error) => {
        assert.ok(error instanceof SchemaMismatch)
        assert.match(error.message, /migration 2 \(dogs\), which this version does not know/)
        return true
      })
    })

    it('refuse a text that was changed after it was applied', async () => {
      await using place = await engine.place()
      await (await place.open({ migrations: [CATS] }))[Symbol.asyncDispose]()
      const changed = { ...CATS, text: `${CATS.text} ` }
      await assert.rejects(place.open({ migrations: [changed] }), /migration 1 \(cats\) was changed/)
    })
  })
}
