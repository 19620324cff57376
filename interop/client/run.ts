/** Runs the tests of this folder; see README.md. Arguments are files of it, without `.test.ts`. */
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'

const FOLDER = import.meta.dirname
const TEST_MS_MAX = 120_000
const wanted = process.argv.slice(2)
const files = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.test.ts'))
  .filter((name) => wanted.length === 0 || wanted.includes(name.replace('.test.ts', '')))

const { status } = spawnSync(
  process.execPath,
  [
    // The SDK looks for it, and Node warns when it is not set up.
    '--no-experimental-webstorage',
    '--test',
    // The SDK leaves timers of up to 90 seconds behind when a client is stopped.
    '--test-force-exit',
    '--test-concurrency=2',
    `--test-timeout=${TEST_MS_MAX}`,
    `--test-reporter=${join(FOLDER, '../../tools/test-reporter.ts')}`,
    ...files.map((name) => join(FOLDER, name)),
  ],
  { stdio: 'inherit' },
)
process.exitCode = files.length === 0 ? 2 : (status ?? 1)
