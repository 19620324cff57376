// Installs the npm dependencies when, and only when, what is installed differs from the lock file.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { LaunchProblem } from './problem.mjs'

const LOCK_POLL_MS = 500
const LOCK_WAIT_MS_MAX = 15 * 60 * 1000

/**
 * @param {string} root the repository
 * @param {'production' | 'all'} needs
 */
export async function ensureInstalled(root, needs) {
  if (missingPackages(root, needs).length === 0) return
  await withInstallLock(root, () => {
    // Someone else may have installed while we waited.
    const missing = missingPackages(root, needs)
    if (missing.length > 0) install(root, needs, missing)
  })
}

/** The lock file's packages that are not installed in the locked version, by their path in node_modules. */
export function missingPackages(root, needs) {
  const locked = readLock(join(root, 'package-lock.json'))
  const installed = readLock(join(root, 'node_modules', '.package-lock.json'))
  return Object.entries(locked)
    .filter(([path, entry]) => isNeeded(path, entry, needs) && !isInstalled(root, path, entry, installed[path]))
    .map(([path]) => path)
}

// Optional packages are those of other systems, mostly; npm knows which of them belong here.
function isNeeded(path, entry, needs) {
  if (!path.includes('node_modules/') || entry.optional === true || entry.devOptional === true) return false
  return needs === 'all' || entry.dev !== true
}

function isInstalled(root, path, entry, installed) {
  if (installed === undefined || !existsSync(join(root, path, 'package.json'))) return false
  if (entry.link === true) return installed.link === true && installed.resolved === entry.resolved
  return installed.version === entry.version && installed.integrity === entry.integrity
}

function readLock(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).packages ?? {}
  } catch (error) {
    if (error.code === 'ENOENT') return {}
    throw new LaunchProblem(`${path} is not readable: ${error.message}`)
  }
}

function install(root, needs, missing) {
  // Whoever has the development dependencies keeps them; `npm ci --omit=dev` would take them away.
  const all = needs === 'all' || existsSync(join(root, 'node_modules', 'typescript'))
  const args = ['ci', ...(all ? [] : ['--omit=dev']), '--no-audit', '--no-fund', '--loglevel=error']
  process.stderr.write(`holdfast: installing ${describe(missing)} with "npm ci${all ? '' : ' --omit=dev'}" ...\n`)
  const startedMs = Date.now()
  const npm = npmCommand()
  const result = spawnSync(npm.command, [...npm.args, ...args], { cwd: root, stdio: ['ignore', 2, 2] })
  if (result.error !== undefined) throw new LaunchProblem(`npm does not start: ${result.error.message}`)
  if (result.status !== 0) {
    throw new LaunchProblem('"npm ci" failed (see above). Holdfast needs the npm registry once, to install.')
  }
  process.stderr.write(`holdfast: installed in ${((Date.now() - startedMs) / 1000).toFixed(1)} s\n`)
}

function describe(missing) {
  const names = missing.map((path) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length))
  return names.length <= 3 ? names.join(', ') : `${names.length} packages`
}

// Under `npm run`, the very npm that runs us; by hand, the one on the path.
function npmCommand() {
  const script = process.env.npm_execpath
  if (script !== undefined && /npm-cli\.c?js$/.test(script)) return { command: process.execPath, args: [script] }
  return { command: 'npm', args: [] }
}

// Two starts at once in a fresh checkout must not both write node_modules. The lock is outside of node_modules,
// which npm empties, and outside of the checkout, which it should not litter.
async function withInstallLock(root, action) {
  const lock = join(tmpdir(), `holdfast-install-${createHash('sha256').update(root).digest('hex').slice(0, 16)}`)
  await acquire(lock)
  try {
    action()
  } finally {
    rmSync(lock, { recursive: true, force: true })
  }
}

async function acquire(lock) {
  const untilMs = Date.now() + LOCK_WAIT_MS_MAX
  while (!tryAcquire(lock)) {
    if (Date.now() > untilMs) throw new LaunchProblem(`Another start seems to be installing; if not, remove ${lock}`)
    await sleep(LOCK_POLL_MS)
  }
}

function tryAcquire(lock) {
  try {
    mkdirSync(lock)
    writeFileSync(join(lock, 'pid'), String(process.pid))
    return true
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
    if (!ownerIsAlive(lock)) rmSync(lock, { recursive: true, force: true })
    return false
  }
}

function ownerIsAlive(lock) {
  let pid
  try {
    pid = Number(readFileSync(join(lock, 'pid'), 'utf8'))
  } catch {
    return true // it has just been made, or is just being removed
  }
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}
