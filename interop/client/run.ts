/** Runs the tests of this folder; see README.md. Arguments are files of it, without `.test.ts`, and `--postgres`. */
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startPostgres } from '@holdfast/platform/database/testing/postgres'

const FOLDER = import.meta.dirname
const TEST_MS_MAX = 120_000
const { positionals: wanted, values } = parseArgs({
  options: { postgres: { type: 'boolean', default: false } },
  allowPositionals: true,
})
const files = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.test.ts'))
  .filter((name) => wanted.length === 0 || wanted.includes(name.replace('.test.ts', '')))

await using postgres = values.postgres ? await startPostgres() : undefined
const database = postgres?.url ?? process.env['HOLDFAST_DATABASE']
const { status } = spawnSync(
  process.execPath,
  [
    // The SDK looks for it, and Node warns when it is not set up.
    '--no-experimental-webstorage',
    '--test',
    // The SDK leaves timers of up to 90 seconds behind when a client is stopped.
    '--test-force-exit',
    // A database belongs to one server at a time.
    `--test-concurrency=${database === undefined ? 2 : 1}`,
    `--test-timeout=${TEST_MS_MAX}`,
    `--test-reporter=${join(FOLDER, '../../tools/test-reporter.ts')}`,
    ...files.map((name) => join(FOLDER, name)),
  ],
  {
    stdio: 'inherit',
    env: { ...process.env, ...(database === undefined ? {} : { HOLDFAST_DATABASE: database }) },
  },
)
process.exitCode = files.length === 0 ? 2 : (status ?? 1)
