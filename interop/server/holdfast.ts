/** Holdfast as a child process: started, stopped and killed as its operator, or an accident, would. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { freePort } from './free-port.ts'

export type HoldfastProcess = AsyncDisposable & {
  readonly url: string
  readonly serverName: string
  readonly sharedSecret: string
  readonly dataFolder: string
  /** Undefined while it is down. */
  readonly pid: number | undefined
  /** Starts it on its data and its port, and waits until it serves. */
  start(): Promise<void>
  /** SIGTERM; throws when it does not end by itself with 0. */
  stop(): Promise<void>
  /** SIGKILL: at once, or so long after a SIGTERM, while it stops. */
  kill(options?: { readonly afterTermMs?: number }): Promise<void>
  /** Runs `holdfast ARGS` on the same settings and data, and gives what it printed. */
  run(...args: readonly string[]): Promise<string>
  /** The end of what it wrote, for failures. */
  lastLog(lines?: number): string
}

export type HoldfastSettings = {
  /** `HOLDFAST_...` variables, over those of every suite. */
  readonly settings?: Readonly<Record<string, string>>
}

const ROOT = join(import.meta.dirname, '../..')
/** What `npm start` hands over to, with the same cache; started directly, so that signals reach the server itself. */
const ENTRY = join(ROOT, 'packages/holdfast/main.ts')
const COMPILE_CACHE = join(ROOT, 'node_modules/.cache/holdfast-compiled')
const HOST = '127.0.0.1'
const START_MS_MAX = 30_000
const STOP_MS_MAX = 20_000
const POLL_MS = 15

export async function startHoldfast({ settings = {} }: HoldfastSettings = {}): Promise<HoldfastProcess> {
  const server = await prepareHoldfast({ settings })
  await server.start()
  return server
}

/** Like `startHoldfast`, but does not start it yet. */
export async function prepareHoldfast({ settings = {} }: HoldfastSettings = {}): Promise<HoldfastProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-interop-'))
  const logFile = join(folder, 'server.log')
  const port = await freePort(HOST)
  const url = `http://${HOST}:${port}`
  const own = {
    HOLDFAST_SERVER_NAME: 'interop.test',
    HOLDFAST_LISTEN: `${HOST}:${port}`,
    HOLDFAST_DATA: join(folder, 'data'),
    HOLDFAST_REGISTRATION: 'open',
    HOLDFAST_REGISTRATION_SHARED_SECRET: 'the shared secret of the suites',
    HOLDFAST_RATE_LIMITS: 'off',
    ...settings,
  }
  const launch = { folder, env: environment(own), logFile }
  let child: ChildProcess | undefined

  return {
    url,
    serverName: own.HOLDFAST_SERVER_NAME,
    sharedSecret: own.HOLDFAST_REGISTRATION_SHARED_SECRET,
    dataFolder: own.HOLDFAST_DATA,
    get pid() {
      return child?.pid
    },
    start: async () => {
      if (child !== undefined) throw new Error('the server runs already')
      child = spawnServer(launch)
      await untilHealthy(child, url, logFile)
    },
    stop: async () => {
      const stopping = child
      child = undefined
      if (stopping !== undefined) await stopGently(stopping, logFile)
    },
    kill: async ({ afterTermMs } = {}) => {
      const dying = child
      child = undefined
      if (dying === undefined) return
      if (afterTermMs !== undefined) {
        dying.kill('SIGTERM')
        await sleep(afterTermMs)
      }
      await endBy(dying, 'SIGKILL')
    },
    run: (...args) => runCommand(launch, args),
    lastLog: (lines) => tail(logFile, lines),
    [Symbol.asyncDispose]: async () => {
      if (child !== undefined) await endBy(child, 'SIGKILL')
      child = undefined
      if (process.env['INTEROP_KEEP'] === undefined) rmSync(folder, { recursive: true, force: true })
    },
  }
}

type Launch = { readonly folder: string; readonly env: NodeJS.ProcessEnv; readonly logFile: string }

/** Nothing of the caller's own Holdfast gets in, but for the database that it wants tested. */
function environment(own: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('HOLDFAST_') || name === 'HOLDFAST_DATABASE',
  )
  // A runner of tests speaks with its children through this variable; the server is none of them.
  return { ...Object.fromEntries(inherited), NODE_TEST_CONTEXT: undefined, NODE_COMPILE_CACHE: COMPILE_CACHE, ...own }
}

function spawnServer({ folder, env, logFile }: Launch): ChildProcess {
  const log = openSync(logFile, 'a')
  // In its folder, because a holdfast.yaml in the current one would be read.
  const child = spawn(process.execPath, [ENTRY, 'start'], { cwd: folder, env, stdio: ['ignore', log, log] })
  closeSync(log)
  return child
}

async function runCommand({ folder, env }: Launch, args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [ENTRY, ...args], { cwd: folder, env })
  return stdout
}

async function untilHealthy(child: ChildProcess, url: string, logFile: string): Promise<void> {
  const untilMs = performance.now() + START_MS_MAX
  while (performance.now() < untilMs) {
    if (hasEnded(child)) throw new Error(`the server ended while it started:\n${tail(logFile)}`)
    if (await isHealthy(url)) return
    await sleep(POLL_MS)
  }
  child.kill('SIGKILL')
  throw new Error(`the server did not serve within ${START_MS_MAX} ms:\n${tail(logFile)}`)
}

async function isHealthy(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/health`, { signal: AbortSignal.timeout(5_000) })
    await response.arrayBuffer()
    return response.ok
  } catch {
    return false // it does not listen yet
  }
}

async function stopGently(child: ChildProcess, logFile: string): Promise<void> {
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX)
  await endBy(child, 'SIGTERM')
  clearTimeout(timer)
  if (child.exitCode !== 0) {
    const how =
      child.signalCode === 'SIGKILL' ? `did not stop within ${STOP_MS_MAX} ms` : `ended with ${child.exitCode}`
    throw new Error(`the server ${how} on SIGTERM:\n${tail(logFile)}`)
  }
}

async function endBy(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (hasEnded(child)) return
  const ended = new Promise((resolve) => void child.once('exit', resolve))
  child.kill(signal)
  await ended
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}

function tail(logFile: string, lines = 30): string {
  return readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-lines).join('\n')
}
