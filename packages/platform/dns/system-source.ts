/** The name servers and the hosts file of this machine. */
import { lookup, Resolver as NameServers } from 'node:dns/promises'
import { isIP } from 'node:net'
import type { Clock } from '../clock/clock.ts'
import { openHostsFile } from './hosts-file.ts'
import { type DnsAnswer, type DnsSource, LookupFailed, type ResolvedAddress, type SrvRecord } from './resolver.ts'

const TIMEOUT_MS = 2_500
const TRIES = 2
/** The system's own lookup holds one of the few threads that files and signatures need, too. */
const SYSTEM_LOOKUPS_MAX = 2

export type SystemSourceOptions = {
  readonly clock: Clock
  /** By default those of the system. */
  readonly nameServers?: readonly string[]
  readonly hostsFile?: string
  /** Whether to ask the system (mDNS, search domains ...) about names that the DNS does not have; true by default. */
  readonly systemLookup?: boolean
}

const HOSTS_FILE = process.platform === 'win32' ? 'C:\\Windows\\System32\\drivers\\etc\\hosts' : '/etc/hosts'

export function createSystemSource(options: SystemSourceOptions): DnsSource {
  const servers = new NameServers({ timeout: TIMEOUT_MS, tries: TRIES })
  if (options.nameServers !== undefined) servers.setServers(options.nameServers)
  const hosts = openHostsFile(options.clock, options.hostsFile ?? HOSTS_FILE)
  const askSystem = options.systemLookup === false ? async () => [] : limited(systemAddresses)
  return {
    srv: async (name) => {
      const found = await absentAsUndefined(servers.resolveSrv(name))
      return { records: (found ?? []).map(srvRecord), ttlMs: undefined }
    },
    addresses: async (name) => {
      const version = isIP(name)
      if (version !== 0) return { records: [{ address: name, family: version === 4 ? 4 : 6 }], ttlMs: undefined }
      const listed = await hosts.addresses(name)
      if (listed.length > 0) return { records: listed, ttlMs: 0 }
      const answer = await nameServerAddresses(servers, name)
      return answer.records.length > 0 ? answer : { records: await askSystem(name), ttlMs: undefined }
    },
  }
}

function srvRecord({
  name,
  port,
  priority,
  weight,
}: {
  readonly name: string
  readonly port: number
  readonly priority: number
  readonly weight: number
}): SrvRecord {
  // The root, which says that there is no such service, arrives as an empty name.
  return { target: name === '' ? '.' : name, port, priority, weight }
}

/** Both kinds of address. If only one kind can be had, that is an answer. */
async function nameServerAddresses(servers: NameServers, name: string): Promise<DnsAnswer<ResolvedAddress>> {
  const [v6, v4] = await Promise.allSettled([
    absentAsUndefined(servers.resolve6(name, { ttl: true })),
    absentAsUndefined(servers.resolve4(name, { ttl: true })),
  ])
  const found = [
    ...(v6.status === 'fulfilled' ? (v6.value ?? []) : []).map((one) => ({ ...one, family: 6 as const })),
    ...(v4.status === 'fulfilled' ? (v4.value ?? []) : []).map((one) => ({ ...one, family: 4 as const })),
  ]
  if (found.length === 0) {
    for (const one of [v6, v4]) if (one.status === 'rejected') throw one.reason
    return { records: [], ttlMs: undefined }
  }
  const ttlMs = 1000 * found.reduce((least, { ttl }) => Math.min(least, ttl), Infinity)
  return { records: found.map(({ address, family }) => ({ address, family })), ttlMs }
}

/** No such name, no such record, or nothing that could be a name: nothing that a second try could change. */
const ABSENT: ReadonlySet<unknown> = new Set(['ENOTFOUND', 'ENODATA', 'EBADNAME', 'ENONAME'])

async function absentAsUndefined<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (ABSENT.has(code)) return undefined
    throw new LookupFailed(`the name servers could not answer: ${message}`, { cause: error })
  }
}

async function systemAddresses(name: string): Promise<readonly ResolvedAddress[]> {
  const found = await lookup(name, { all: true }).catch(() => [])
  return found.map(({ address, family }) => ({ address, family: family === 4 ? 4 : 6 }))
}

function limited<T>(ask: (name: string) => Promise<T>): (name: string) => Promise<T> {
  let running = 0
  const waiting: (() => void)[] = []
  return async (name) => {
    if (running >= SYSTEM_LOOKUPS_MAX) await new Promise<void>((resolve) => void waiting.push(resolve))
    else running += 1
    try {
      return await ask(name)
    } finally {
      const next = waiting.shift()
      if (next === undefined) running -= 1
      else next()
    }
  }
}
