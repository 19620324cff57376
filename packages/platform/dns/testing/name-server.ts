/** A name server over UDP on a free port of 127.0.0.1 (RFC 1035), as far as a stub resolver asks for. */
import { createSocket } from 'node:dgram'

export type ZoneRecord =
  | { readonly type: 'A' | 'AAAA' | 'CNAME'; readonly value: string; readonly ttl?: number }
  | {
      readonly type: 'SRV'
      readonly target: string
      readonly port: number
      readonly priority: number
      readonly weight: number
    }

/** By name in lower case. A name that is missing does not exist; `silent` is never answered, `broken` with SERVFAIL. */
export type Zone = Map<string, readonly ZoneRecord[] | 'silent' | 'broken'>

const TYPES = { A: 1, CNAME: 5, AAAA: 28, SRV: 33 } as const
const NO_SUCH_NAME = 3
const SERVER_FAILURE = 2

export async function startNameServer(zone: Zone) {
  const socket = createSocket('udp4')
  const asked: string[] = []
  socket.on('message', (query, from) => {
    const { name, type, end } = question(query)
    asked.push(`${Object.entries(TYPES).find(([, number]) => number === type)?.[0] ?? type} ${name}`)
    const told = zone.get(name.toLowerCase())
    if (told !== 'silent') socket.send(response(query, end, type, told), from.port, from.address)
  })
  await new Promise<void>((resolve) => void socket.bind(0, '127.0.0.1', resolve))
  return {
    address: `127.0.0.1:${socket.address().port}`,
    asked,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => void socket.close(() => resolve())),
  }
}

function question(query: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = []
  let at = 12
  while (query[at] !== 0) {
    const length = query[at]!
    labels.push(query.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  return { name: labels.join('.'), type: query.readUInt16BE(at + 1), end: at + 5 }
}

function response(
  query: Buffer,
  end: number,
  type: number,
  told: readonly ZoneRecord[] | 'broken' | undefined,
): Buffer {
  const code = told === 'broken' ? SERVER_FAILURE : told === undefined ? NO_SUCH_NAME : 0
  const records = Array.isArray(told)
    ? told.filter((one) => TYPES[one.type as 'A'] === type || one.type === 'CNAME')
    : []
  const head = Buffer.from(query.subarray(0, end))
  head.writeUInt16BE(0x8180 | code, 2)
  head.writeUInt16BE(1, 4)
  head.writeUInt16BE(records.length, 6)
  head.writeUInt16BE(0, 8)
  head.writeUInt16BE(0, 10)
  return Buffer.concat([head, ...records.map(encoded)])
}

function encoded(record: ZoneRecord): Buffer {
  const data = dataOf(record)
  const head = Buffer.alloc(12)
  // The name of the question.
  head.writeUInt16BE(0xc00c, 0)
  head.writeUInt16BE(TYPES[record.type], 2)
  head.writeUInt16BE(1, 4)
  head.writeUInt32BE('ttl' in record ? (record.ttl ?? 60) : 60, 6)
  head.writeUInt16BE(data.length, 10)
  return Buffer.concat([head, data])
}

function dataOf(record: ZoneRecord): Buffer {
  switch (record.type) {
    case 'A':
      return Buffer.from(record.value.split('.').map(Number))
    case 'AAAA':
      return Buffer.from(
        record.value.split(':').flatMap((group) => [parseInt(group, 16) >> 8, parseInt(group, 16) & 255]),
      )
    case 'CNAME':
      return nameBytes(record.value)
    case 'SRV': {
      const head = Buffer.alloc(6)
      head.writeUInt16BE(record.priority, 0)
      head.writeUInt16BE(record.weight, 2)
      head.writeUInt16BE(record.port, 4)
      return Buffer.concat([head, nameBytes(record.target)])
    }
  }
}

function nameBytes(name: string): Buffer {
  const labels = name === '.' ? [] : name.split('.')
  const parts = labels.map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)]))
  return Buffer.concat([...parts, Buffer.from([0])])
}
