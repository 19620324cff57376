/** Installs the SDK of 2018 into this folder when it is not there, and runs its tests; see README.md. */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const FOLDER = import.meta.dirname
const TEST_MS_MAX = 120_000

function isInstalled(): boolean {
  const path = join(FOLDER, 'node_modules/matrix-js-sdk/package.json')
  const { dependencies } = JSON.parse(readFileSync(join(FOLDER, 'package.json'), 'utf8'))
  return existsSync(path) && JSON.parse(readFileSync(path, 'utf8')).version === dependencies['matrix-js-sdk']
}

function install(): number {
  // Nothing of it needs an install script.
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  const { status, error } = spawnSync('npm', args, { cwd: FOLDER, stdio: 'inherit' })
  if (error !== undefined) console.log(`npm does not start: ${error.message}`)
  return status ?? 1
}

function runTests(): number {
  const args = [
    '--no-experimental-webstorage',
    // It was written for Node 10.
    '--no-deprecation',
    '--test',
    '--test-force-exit',
    `--test-timeout=${TEST_MS_MAX}`,
    `--test-reporter=${join(FOLDER, '../../tools/test-reporter.ts')}`,
    join(FOLDER, 'client-2018.test.ts'),
  ]
  return spawnSync(process.execPath, args, { stdio: 'inherit' }).status ?? 1
}

process.exitCode = isInstalled() || install() === 0 ? runTests() : 1
