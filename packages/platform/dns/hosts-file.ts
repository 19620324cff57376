/** The machine's own table of names, which has the last word over the DNS. */
import { readFile, stat } from 'node:fs/promises'
import { isIP } from 'node:net'
import type { Clock } from '../clock/clock.ts'
import type { ResolvedAddress } from './resolver.ts'

export type HostsFile = {
  addresses(name: string): Promise<readonly ResolvedAddress[]>
}

type Table = ReadonlyMap<string, readonly ResolvedAddress[]>

const LOOK_EVERY_MS = 5_000
const FILE_BYTES_MAX = 4_000_000
const EMPTY: Table = new Map()

/** Reads the file again when it changed. A file that cannot be read is an empty one. */
export function openHostsFile(clock: Clock, path: string): HostsFile {
  let table: Promise<Table> = Promise.resolve(EMPTY)
  let sign = ''
  let nextLookMs = -Infinity
  return {
    addresses: async (name) => {
      if (clock.monotonicMs() >= nextLookMs) {
        nextLookMs = clock.monotonicMs() + LOOK_EVERY_MS
        const before = table
        table = signOf(path).then(async (now) => {
          if (now === sign) return before
          sign = now
          return readTable(path)
        })
      }
      return (await table).get(name.toLowerCase()) ?? []
    },
  }
}

async function signOf(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined)
  return `${found?.mtimeMs} ${found?.size} ${found?.ino}`
}

async function readTable(path: string): Promise<Table> {
  const text = await readFile(path, 'utf8').catch(() => '')
  return text.length > FILE_BYTES_MAX ? EMPTY : parseHosts(text)
}

export function parseHosts(text: string): Table {
  const table = new Map<string, ResolvedAddress[]>()
  for (const line of text.split('\n')) {
    const [address = '', ...names] = (line.split('#')[0] ?? '').trim().split(/\s+/)
    const version = isIP(address)
    if (version === 0) continue
    for (const name of names) {
      const key = name.toLowerCase()
      const known = table.get(key)
      const record = { address, family: version === 4 ? 4 : 6 } as const
      if (known === undefined) table.set(key, [record])
      else if (!known.some((one) => one.address === address)) known.push(record)
    }
  }
  return table
}
