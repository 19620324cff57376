/** Commits per second with 1 and 64 lists in flight, on each engine. See README.md. */
import { parseArgs } from 'node:util'
import { statement, type Database } from './database.ts'
import { openPostgres } from './postgres/open.ts'
import { position, sql } from './sql.ts'
import { openSqlite } from './sqlite/open.ts'
import { startPostgres } from './testing/postgres.ts'
import { temporaryFolder } from './testing/temporary-folder.ts'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '3' },
    engine: { type: 'string', multiple: true },
    'work-us': { type: 'string', default: '0' },
  },
})
const MEASURE_MS = Number(values.seconds) * 1000

const migrations = [
  {
    number: 1,
    name: 'bench',
    text: `
      CREATE TABLE events (
        nid {{id}}, room BIGINT NOT NULL, position BIGINT NOT NULL, hash BIGINT NOT NULL, json {{text}} NOT NULL
      );
      CREATE INDEX events_by_hash ON events (hash);
      CREATE TABLE rooms (room {{id}}, position BIGINT NOT NULL);
    `,
  },
]

const JSON_TEXT = JSON.stringify({ type: 'm.room.message', content: { body: 'x'.repeat(900) } })

let nid = 0

const engines: Record<string, () => Promise<{ database: Database } & AsyncDisposable>> = {
  'sqlite-inline': () => sqlite('inline'),
  'sqlite-thread': () => sqlite('thread'),
  postgres,
}

for (const name of values.engine ?? Object.keys(engines)) {
  await using engine = await engines[name]!()
  const { database } = engine
  await database.commit(Array.from({ length: 100 }, (_, room) => insertRoom(room)))
  for (const inFlight of [1, 64]) console.log(name, await measure(database, inFlight))
  console.log(name, await measureReads(database))
}

async function sqlite(writer: 'inline' | 'thread') {
  const folder = await temporaryFolder()
  const database = await openSqlite({ folder: folder.path, migrations, writer })
  return closing(database, folder)
}

async function postgres() {
  const server = await startPostgres({ durable: true })
  return closing(await openPostgres({ url: server.url, migrations }), server)
}

function closing(database: Database, place: AsyncDisposable) {
  return {
    database,
    [Symbol.asyncDispose]: async () => {
      await database[Symbol.asyncDispose]()
      await place[Symbol.asyncDispose]()
    },
  }
}

function insertRoom(room: number) {
  return statement(sql`INSERT INTO rooms (room, position) VALUES (${room}, ${0})`, { changes: 1 })
}

/** One list as an event makes it: the event and its room's row, with one position. */
function eventList() {
  nid += 1
  const room = nid % 100
  const hash = Math.floor(Math.random() * Number.MAX_SAFE_INTEGER)
  return [
    statement(
      sql`INSERT INTO events (nid, room, position, hash, json) VALUES (${nid}, ${room}, ${position()}, ${hash}, ${JSON_TEXT})`,
      { changes: 1 },
    ),
    statement(sql`UPDATE rooms SET position = ${position()} WHERE room = ${room}`, { changes: 1 }),
  ]
}

/** What a caller does on the same thread for each commit. */
function work(): void {
  const end = performance.now() + Number(values['work-us']) / 1000
  while (performance.now() < end);
}

async function measure(database: Database, inFlight: number) {
  const times: number[] = []
  const end = performance.now() + MEASURE_MS
  const start = performance.now()
  let longestTurn = 0
  let last = start
  const watch = setInterval(() => {
    longestTurn = Math.max(longestTurn, performance.now() - last - 1)
    last = performance.now()
  }, 1)
  const client = async () => {
    while (performance.now() < end) {
      work()
      const called = performance.now()
      await database.commit(eventList(), { positions: 1 })
      times.push(performance.now() - called)
    }
  }
  await Promise.all(Array.from({ length: inFlight }, client))
  clearInterval(watch)
  times.sort((a, b) => a - b)
  const at = (share: number) => `${times[Math.floor((times.length - 1) * share)]!.toFixed(2)} ms`
  const perSecond = Math.round((times.length / (performance.now() - start)) * 1000)
  return `${inFlight} in flight: ${perSecond} commits/s, p50 ${at(0.5)}, p99 ${at(0.99)}, longest turn ${longestTurn.toFixed(1)} ms`
}

async function measureReads(database: Database) {
  const read = () =>
    database.row(sql`SELECT nid, room, position FROM events WHERE nid = ${1 + Math.floor(Math.random() * nid)}`)
  const start = performance.now()
  let reads = 0
  while (performance.now() - start < MEASURE_MS / 3) {
    await Promise.all(Array.from({ length: 64 }, read))
    reads += 64
    await new Promise((resolve) => void setImmediate(resolve))
  }
  return `point reads, 64 at a time: ${Math.round((reads / (performance.now() - start)) * 1000)}/s`
}
