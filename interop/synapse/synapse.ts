/** Synapse as a child process on an address of 127.0.0.0/8, with TLS towards other servers. */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../server/free-port.ts'
import type { Authority } from './certificates.ts'
import { SYNAPSE_LOGGING, synapseConfiguration } from './configuration.ts'
import type { Peer } from './peer.ts'

const START_MS_MAX = 60_000
const STOP_MS_MAX = 30_000
const POLL_MS = 50
const SECRET = 'the shared secret of Synapse'

export type SynapsePlace = {
  readonly label: string
  readonly address: string
  readonly python: string
  readonly authority: Authority
  /** For its data and its log; made here. */
  readonly folder: string
}

export async function prepareSynapse({ label, address, python, authority, folder }: SynapsePlace): Promise<Peer> {
  mkdirSync(folder, { recursive: true })
  const tlsPort = await freePort(address)
  const clientPort = await freePort(address)
  const url = `http://${address}:${clientPort}`
  const logFile = join(folder, 'server.log')
  const config = join(folder, 'homeserver.yaml')
  const parts = { folder, address, tlsPort, clientPort, caFile: authority.caFile, secret: SECRET }
  // JSON is YAML.
  writeFileSync(config, JSON.stringify(synapseConfiguration({ ...parts, certificate: authority.issue(address) })))
  writeFileSync(join(folder, 'log.yaml'), JSON.stringify(SYNAPSE_LOGGING))
  writeFileSync(join(folder, 'signing.key'), newSigningKey())
  let child: ChildProcess | undefined

  const stop = async (): Promise<void> => {
    const stopping = child
    child = undefined
    if (stopping !== undefined) await end(stopping)
  }
  return {
    software: 'synapse',
    label,
    serverName: `${address}:${tlsPort}`,
    url,
    registrationSecret: SECRET,
    logFile,
    start: async () => {
      if (child !== undefined) throw new Error(`${label} runs already`)
      child = spawnSynapse({ python, config, folder, logFile })
      await untilHealthy(child, { url, label, logFile })
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

/** As its own tool writes it: algorithm, name, seed. */
function newSigningKey(): string {
  return `ed25519 a_${randomBytes(2).toString('hex')} ${randomBytes(32).toString('base64').replace('=', '')}\n`
}

type Launch = { readonly python: string; readonly config: string; readonly folder: string; readonly logFile: string }

function spawnSynapse({ python, config, folder, logFile }: Launch): ChildProcess {
  const log = openSync(logFile, 'a')
  const args = ['-m', 'synapse.app.homeserver', '-c', config]
  const child = spawn(python, args, { cwd: folder, stdio: ['ignore', log, log] })
  closeSync(log)
  return child
}

async function untilHealthy(
  child: ChildProcess,
  { url, label, logFile }: { readonly url: string; readonly label: string; readonly logFile: string },
): Promise<void> {
  const untilMs = performance.now() + START_MS_MAX
  while (performance.now() < untilMs) {
    if (hasEnded(child)) throw new Error(`${label} ended while it started:\n${tail(logFile)}`)
    if (await isHealthy(url)) return
    await sleep(POLL_MS)
  }
  child.kill('SIGKILL')
  throw new Error(`${label} did not serve within ${START_MS_MAX} ms:\n${tail(logFile)}`)
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

async function end(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return
  const ended = new Promise((resolve) => void child.once('exit', resolve))
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX)
  await ended
  clearTimeout(timer)
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}

function tail(logFile: string): string {
  return readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-30).join('\n')
}
