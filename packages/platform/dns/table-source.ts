/** Names from a table that can change at any time, for tests and the simulator. */
import { type DnsSource, LookupFailed, type ResolvedAddress, type SrvRecord } from './resolver.ts'

type Told<T> = { readonly records: readonly T[]; readonly ttlMs?: number } | 'failure'

export type TableSource = DnsSource & {
  readonly addressTable: Map<string, Told<string>>
  readonly srvTable: Map<string, Told<SrvRecord>>
  /** Every question, such as `A example.org` and `SRV _matrix-fed._tcp.example.org`. */
  readonly asked: string[]
}

export function createTableSource(): TableSource {
  const addressTable = new Map<string, Told<string>>()
  const srvTable = new Map<string, Told<SrvRecord>>()
  const asked: string[] = []
  return {
    addressTable,
    srvTable,
    asked,
    srv: async (name) => {
      asked.push(`SRV ${name}`)
      return answerOf(srvTable.get(name))
    },
    addresses: async (name) => {
      asked.push(`A ${name}`)
      const { records, ttlMs } = answerOf(addressTable.get(name))
      return { records: records.map(record), ttlMs }
    },
  }
}

function answerOf<T>(told: Told<T> | undefined): { records: readonly T[]; ttlMs: number | undefined } {
  if (told === 'failure') throw new LookupFailed('the name servers could not answer')
  return { records: told?.records ?? [], ttlMs: told?.ttlMs }
}

function record(address: string): ResolvedAddress {
  return { address, family: address.includes(':') ? 6 : 4 }
}
