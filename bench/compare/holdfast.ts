/** Holdfast from this repository, on its embedded database or on PostgreSQL. */

import { join } from 'node:path'
import { type Candidate, FSYNCED, type Place, type Running } from './candidate.ts'
import { answersOk, freePort, startProgram, waitUntil } from './child.ts'
import { type Postgres, startPostgres } from './postgres.ts'

const ROOT = join(import.meta.dirname, '..', '..')
/** The program itself: npm, or anything else that starts it, would count as memory of the server. */
const ENTRY = join(ROOT, 'packages', 'holdfast', 'main.ts')
/** As `npm start` does. */
const NODE_FLAGS = ['--max-semi-space-size=4', '--v8-pool-size=1']
const SECRET = 'bench-registration'

export const holdfastSqlite: Candidate = {
  name: 'holdfast-sqlite',
  label: 'Holdfast (SQLite)',
  durability: FSYNCED,
  start: (place) => start(place, undefined),
}

export const holdfastPostgres: Candidate = {
  name: 'holdfast-postgres',
  label: 'Holdfast (PostgreSQL)',
  durability: FSYNCED,
  start: async (place) => start(place, await startPostgres(place)),
}

async function start(place: Place, postgres: Postgres | undefined): Promise<Running> {
  const port = await freePort()
  const data = join(place.folder, 'data')
  const env = {
    ...process.env,
    // As `npm start` does.
    NODE_COMPILE_CACHE: join(ROOT, 'node_modules', '.cache', 'holdfast-compiled'),
    HOLDFAST_SERVER_NAME: 'bench.localhost',
    HOLDFAST_LISTEN: `127.0.0.1:${port}`,
    HOLDFAST_DATA: data,
    HOLDFAST_REGISTRATION_SHARED_SECRET: SECRET,
    HOLDFAST_RATE_LIMITS: 'off',
    ...(postgres === undefined ? {} : { HOLDFAST_DATABASE: postgres.url }),
  }
  const logFile = join(place.folder, 'holdfast.log')
  const command = process.execPath
  const child = startProgram({
    command,
    args: [...NODE_FLAGS, ENTRY, 'start'],
    logFile,
    env,
    folder: place.folder,
    cores: place.cores,
  })
  const url = `http://127.0.0.1:${port}`
  await waitUntil('Holdfast', answersOk(`${url}/health`))
  return {
    url,
    secret: SECRET,
    pids: postgres === undefined ? [child.pid] : [child.pid, postgres.pid],
    database: postgres === undefined ? { path: data } : { pgUrl: postgres.url },
    async stop() {
      await child.stop()
      await postgres?.stop()
    },
  }
}
