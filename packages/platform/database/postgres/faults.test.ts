import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { CommitOutcomeUnknown, DatabaseLocked, DatabaseUnavailable, type Database } from '../database.ts'
import { sql } from '../sql.ts'
import { CONTRACT_MIGRATIONS } from '../testing/open.ts'
import { PostgresProxy } from '../testing/postgres-proxy.ts'
import { startPostgres } from '../testing/postgres.ts'
import { countEntries, entryIds, insertAtPosition } from '../testing/statements.ts'
import { engineFault } from './faults.ts'
import { openPostgres } from './open.ts'

const OUTAGE_MS_MAX = 1000

type Fixture = AsyncDisposable & {
  readonly database: Database
  readonly proxy: PostgresProxy
  /** Past the proxy. */
  readonly directUrl: string
}

async function aDatabaseBehindAProxy(): Promise<Fixture> {
  await using opening = new AsyncDisposableStack()
  const postgres = opening.use(await startPostgres())
  const proxy = opening.use(await PostgresProxy.start(postgres.url))
  const options = { url: proxy.url, migrations: CONTRACT_MIGRATIONS, outageMsMax: OUTAGE_MS_MAX }
  const database = opening.use(await openPostgres(options))
  const resources = opening.move()
  return { database, proxy, directUrl: postgres.url, [Symbol.asyncDispose]: () => resources.disposeAsync() }
}

async function direct(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(text)).rows
  } finally {
    await client.end()
  }
}

function commitOne(database: Database, id: number): Promise<unknown> {
  return database.commit([insertAtPosition(id)], { positions: 1 })
}

async function assertPositionsAreGapless(database: Database): Promise<void> {
  const positions = await database.column(sql`SELECT position FROM entries ORDER BY position`)
  assert.deepEqual(
    positions,
    [...positions.keys()].map((index) => index + 1),
  )
  assert.equal(database.lastPosition(), positions.length)
}

describe('PostgreSQL: lost connections', () => {
  for (const word of ['BEGIN', 'INSERT INTO entries', 'COMMIT']) {
    for (const moment of ['before', 'after'] as const) {
      it(`applies a group once when the connection is lost ${moment} the server does ${word}`, async () => {
        await using fixture = await aDatabaseBehindAProxy()
        const { database, proxy } = fixture
        await commitOne(database, 1)
        proxy.cutNext = { word, moment }
        // A new template is sent with its text, which the proxy looks for.
        const list = [insertAtPosition(2), { ...insertAtPosition(3, 1), sql: freshInsert(3) }]
        const outcome = await database.commit(list, { positions: 2 })
        assert.equal(outcome.firstPosition, 2)
        assert.equal(proxy.cutNext, undefined)
        await commitOne(database, 4)
        assert.deepEqual(await entryIds(database), [1, 2, 3, 4])
      })
    }
  }

  it('fails commits and reads in time while the server is away, and works again after', async () => {
    await using fixture = await aDatabaseBehindAProxy()
    const { database, proxy } = fixture
    await commitOne(database, 1)
    proxy.goDown()
    const start = performance.now()
    await Promise.all([
      assert.rejects(commitOne(database, 2), isPlainlyUnavailable),
      assert.rejects(countEntries(database), DatabaseUnavailable),
      assert.rejects(countEntries(database.heavy), DatabaseUnavailable),
    ])
    await assert.rejects(commitOne(database, 3), isPlainlyUnavailable)
    assert.ok(performance.now() - start < OUTAGE_MS_MAX + 20_000)
    proxy.down = false
    await commitOne(database, 4)
    assert.deepEqual(await entryIds(database), [1, 4])
    await assertPositionsAreGapless(database)
  })

  it('fails in time when the network swallows everything, and works again after', async () => {
    await using fixture = await aDatabaseBehindAProxy()
    const { database, proxy } = fixture
    proxy.silent = true
    const start = performance.now()
    await Promise.all([
      assert.rejects(commitOne(database, 1), isPlainlyUnavailable),
      assert.rejects(countEntries(database), DatabaseUnavailable),
    ])
    assert.ok(performance.now() - start < 2 * OUTAGE_MS_MAX + 20_000)
    proxy.silent = false
    await commitOne(database, 2)
    assert.deepEqual(await entryIds(database), [2])
  })

  it('gives up a group or a read that loses the connection each time', async () => {
    await using fixture = await aDatabaseBehindAProxy()
    const { database, proxy } = fixture
    proxy.cutAlways = 'entries'
    await assert.rejects(commitOne(database, 1), isPlainlyUnavailable)
    await assert.rejects(countEntries(database), DatabaseUnavailable)
    proxy.cutAlways = undefined
    await commitOne(database, 2)
    assert.deepEqual(await entryIds(database), [2])
  })

  it('waits out a short outage', async () => {
    await using fixture = await aDatabaseBehindAProxy()
    const { database, proxy } = fixture
    proxy.goDown()
    const committing = Promise.all([commitOne(database, 1), commitOne(database, 2)])
    const reading = countEntries(database)
    await sleep(200)
    proxy.down = false
    await Promise.all([committing, reading])
    await assertPositionsAreGapless(database)
  })

  for (const moment of ['before', 'after'] as const) {
    it(`says so when nobody can tell whether the commit was made (cut ${moment} it)`, async () => {
      await using fixture = await aDatabaseBehindAProxy()
      const { database, proxy } = fixture
      proxy.cutNext = { word: 'COMMIT', moment }
      proxy.downAfterCut = true
      await assert.rejects(commitOne(database, 1), CommitOutcomeUnknown)
      proxy.down = false
      await commitOne(database, 2)
      assert.deepEqual(await entryIds(database), moment === 'before' ? [2] : [1, 2])
      await assertPositionsAreGapless(database)
    })
  }

  it('reads again when a connection is lost under a read', async () => {
    await using fixture = await aDatabaseBehindAProxy()
    const { database, proxy } = fixture
    await commitOne(database, 1)
    for (const moment of ['before', 'after'] as const) {
      proxy.cutNext = { word: 'SELECT id FROM entries', moment }
      assert.deepEqual(await entryIds(database), [1])
      assert.deepEqual(await entryIds(database.heavy), [1])
    }
  })
})

describe('PostgreSQL: one owner', () => {
  it('takes the lock again when its session was ended', async () => {
    await using fixture = await aDatabaseBehindAProxy()
    const { database, directUrl } = fixture
    const end = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'holdfast'
      AND datname = current_database()`
    await direct(directUrl, end)
    await commitOne(database, 1)
    await assert.rejects(openPostgres({ url: directUrl, migrations: CONTRACT_MIGRATIONS }), DatabaseLocked)
    await commitOne(database, 2)
  })

  it('writes nothing after another process wrote', async () => {
    await using fixture = await aDatabaseBehindAProxy()
    const { database, proxy, directUrl } = fixture
    await commitOne(database, 1)
    proxy.goDown()
    {
      await using other = await openPostgres({ url: directUrl, migrations: CONTRACT_MIGRATIONS })
      await commitOne(other, 2)
    }
    proxy.down = false
    for (let round = 0; round < 2; round += 1) {
      await assert.rejects(commitOne(database, 3), (error) => {
        assert.ok(error instanceof DatabaseUnavailable)
        assert.match(error.message, /another process wrote to this database/)
        return true
      })
    }
    assert.deepEqual(await entryIds(database), [1, 2])
  })

  it('refuses a database that is not there with a sentence', async () => {
    await using postgres = await startPostgres()
    const url = postgres.url.replace(/test_\d+/, 'nowhere')
    await assert.rejects(openPostgres({ url, migrations: [] }), /"nowhere" does not exist/)
    const gone = 'postgres://holdfast@localhost/x?host=%2Fnowhere'
    await assert.rejects(openPostgres({ url: gone, migrations: [] }), DatabaseUnavailable)
  })
})

describe('PostgreSQL: errors', () => {
  it('tell a server that cannot work from a statement that is wrong', () => {
    const faulty = (code: string) => engineFault(Object.assign(new Error('x'), { code, severity: 'ERROR' }))
    for (const code of ['53100', '53300', '57P01', '58030', '40001', 'XX000', '25006']) assert.ok(faulty(code), code)
    for (const code of ['23505', '42601', '22021', '22003']) assert.equal(faulty(code), undefined)
    assert.ok(engineFault(Object.assign(new Error('x'), { code: 'EPIPE' })))
  })
})

function isPlainlyUnavailable(error: unknown): boolean {
  return error instanceof DatabaseUnavailable && !(error instanceof CommitOutcomeUnknown)
}

function freshInsert(id: number) {
  return sql`INSERT INTO entries (id, kind) VALUES (${id}, ${0})`
}
