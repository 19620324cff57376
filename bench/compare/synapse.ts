/** Synapse from PyPI in a virtual environment, on SQLite or PostgreSQL. */

import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { type Candidate, FSYNCED, type Place, type Running } from './candidate.ts'
import { answersOk, freePort, runToEnd, startProgram, waitUntil } from './child.ts'
import { type Postgres, startPostgres } from './postgres.ts'

const SECRET = 'bench-registration'

export const synapseSqlite: Candidate = {
  name: 'synapse-sqlite',
  label: 'Synapse (SQLite)',
  durability: FSYNCED,
  start: (place) => start(place, undefined),
}

export const synapsePostgres: Candidate = {
  name: 'synapse-postgres',
  label: 'Synapse (PostgreSQL)',
  durability: FSYNCED,
  start: async (place) => start(place, await startPostgres(place)),
}

async function start(place: Place, postgres: Postgres | undefined): Promise<Running> {
  const python = install(place.cache)
  const port = await freePort()
  const config = join(place.folder, 'homeserver.yaml')
  const databasePath = join(place.folder, 'homeserver.db')
  writeFileSync(config, stringify(configuration({ place, port, databasePath, postgres })))
  writeFileSync(join(place.folder, 'log.yaml'), stringify(LOGGING))
  const run = ['-m', 'synapse.app.homeserver', '-c', config]
  runToEnd(python, [...run, '--generate-keys'])
  const logFile = join(place.folder, 'synapse.log')
  const child = startProgram({ command: python, args: run, logFile, folder: place.folder, cores: place.cores })
  const url = `http://127.0.0.1:${port}`
  await waitUntil('Synapse', answersOk(`${url}/health`))
  return {
    url,
    secret: SECRET,
    pids: postgres === undefined ? [child.pid] : [child.pid, postgres.pid],
    database: postgres === undefined ? { path: databasePath } : { pgUrl: postgres.url },
    async stop() {
      await child.stop()
      await postgres?.stop()
    },
  }
}

function install(cache: string): string {
  const folder = join(cache, 'synapse-venv')
  const python = join(folder, 'bin', 'python')
  if (existsSync(join(folder, 'installed'))) return python
  process.stderr.write('installing Synapse from PyPI\n')
  runToEnd('python3', ['-m', 'venv', folder])
  runToEnd(python, ['-m', 'pip', 'install', '--quiet', 'matrix-synapse', 'psycopg2-binary'])
  writeFileSync(join(folder, 'installed'), '')
  return python
}

const LOGGING = {
  version: 1,
  handlers: { console: { class: 'logging.StreamHandler' } },
  root: { level: 'WARNING', handlers: ['console'] },
}

const UNLIMITED = { per_second: 1_000_000, burst_count: 1_000_000 }

/** Documented options only; what is not named here has Synapse's default (presence is on, caches as they come). */
function configuration(parts: { place: Place; port: number; databasePath: string; postgres: Postgres | undefined }) {
  const { place, port, databasePath, postgres } = parts
  const listener = {
    type: 'http',
    port,
    bind_addresses: ['127.0.0.1'],
    resources: [{ names: ['client', 'federation'] }],
  }
  const psycopg = { user: 'postgres', dbname: 'bench', host: '127.0.0.1', port: postgres?.port, cp_min: 5, cp_max: 10 }
  return {
    server_name: 'bench.localhost',
    listeners: [listener],
    database:
      postgres === undefined
        ? { name: 'sqlite3', args: { database: databasePath } }
        : { name: 'psycopg2', args: psycopg },
    log_config: join(place.folder, 'log.yaml'),
    media_store_path: join(place.folder, 'media'),
    signing_key_path: join(place.folder, 'signing.key'),
    pid_file: join(place.folder, 'pid'),
    registration_shared_secret: SECRET,
    report_stats: false,
    trusted_key_servers: [],
    federation_domain_whitelist: [],
    // Password hashing is not measured; at the default of 12 rounds, 10,000 accounts would take most of an hour.
    bcrypt_rounds: 4,
    ...rateLimitsOff(),
  }
}

function rateLimitsOff() {
  return {
    rc_message: UNLIMITED,
    rc_registration: UNLIMITED,
    rc_login: { address: UNLIMITED, account: UNLIMITED, failed_attempts: UNLIMITED },
    rc_joins: { local: UNLIMITED, remote: UNLIMITED },
    rc_joins_per_room: UNLIMITED,
    rc_room_creation: UNLIMITED,
    rc_invites: { per_room: UNLIMITED, per_user: UNLIMITED, per_issuer: UNLIMITED },
    rc_presence: { per_user: UNLIMITED },
  }
}
