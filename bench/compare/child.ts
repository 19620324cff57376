/** Starts long-running programs with their output in a file, waits until they serve, and ends them. */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

export type Program = {
  readonly command: string
  readonly args: readonly string[]
  readonly logFile: string
  readonly env?: NodeJS.ProcessEnv
  readonly folder?: string
  /** Runs as this user, for programs that refuse to run as root. */
  readonly user?: { readonly uid: number; readonly gid: number } | undefined
  /** Cores it may use, as taskset takes them; all when absent. */
  readonly cores?: string | undefined
}

export type Child = { readonly pid: number; stop(signal?: NodeJS.Signals): Promise<void> }

const LIMITS = { startMs: 120_000, stopMs: 60_000 }

export function startProgram(program: Program): Child {
  const log = openSync(program.logFile, 'a')
  // taskset replaces itself with the program, so the pid stays the program's.
  const command = program.cores !== undefined ? 'taskset' : program.command
  const args = program.cores !== undefined ? ['-c', program.cores, program.command, ...program.args] : program.args
  const child = spawn(command, args, {
    stdio: ['ignore', log, log],
    env: program.env ?? process.env,
    ...(program.folder === undefined ? {} : { cwd: program.folder }),
    ...program.user,
  })
  closeSync(log)
  if (child.pid === undefined) throw new Error(`${command} cannot be started`)
  return { pid: child.pid, stop: (signal = 'SIGTERM') => stop(child, signal) }
}

async function stop(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill(signal)
  const timer = setTimeout(() => child.kill('SIGKILL'), LIMITS.stopMs)
  await ended
  clearTimeout(timer)
}

/** Runs a program to its end; throws with its output when it fails. */
export function runToEnd(
  command: string,
  args: readonly string[],
  options: { uid?: number; gid?: number } = {},
): string {
  return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], ...options })
}

export async function waitUntil(what: string, ready: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + LIMITS.startMs
  while (performance.now() < deadline) {
    if (await ready().catch(() => false)) return
    await sleep(200)
  }
  throw new Error(`${what} did not start within ${LIMITS.startMs / 1000} seconds`)
}

export function answersOk(url: string): () => Promise<boolean> {
  return async () => (await fetch(url, { signal: AbortSignal.timeout(5_000) })).ok
}

export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
