/** Other servers on real sockets of 127.0.0.x with certificates of their own, and a transport that trusts and finds them. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import { connect } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSystemClock } from '@holdfast/platform/clock/system-clock'
import { createCachingResolver } from '@holdfast/platform/dns/caching-resolver'
import { lookupFunction } from '@holdfast/platform/dns/lookup-function'
import { createTableSource } from '@holdfast/platform/dns/table-source'
import { addressRanges } from '@holdfast/platform/http/address-ranges'
import { createNetworkClient } from '@holdfast/platform/http/network-client'
import { selfSigned, type TestCertificate } from '@holdfast/platform/http/testing/certificate'
import { createSilentLog } from '@holdfast/platform/log/silent-log'
import { createSeededRandom } from '@holdfast/platform/random/seeded-random'
import type { ServerName } from '@holdfast/protocol/ids/brand'
import { createSigningKey } from '@holdfast/protocol/signing/signing-key'
import { testDatabase } from '../../../testing/database.ts'
import { openFederationTransport } from '../open-transport.ts'

export type SeenRequest = {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

export type Peer = AsyncDisposable & {
  readonly port: number
  readonly seen: SeenRequest[]
  readonly connections: () => number
}

type Answer = (request: SeenRequest, response: ServerResponse) => void

export async function aPeer(certificate: TestCertificate, answer: Answer, host = '127.0.0.1'): Promise<Peer> {
  const seen: SeenRequest[] = []
  const server = createServer({ cert: certificate.cert, key: certificate.key }, (incoming, response) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('end', () => {
      const { method = '', url = '', headers } = incoming
      const request = { method, url, headers, body: Buffer.concat(chunks).toString() }
      seen.push(request)
      answer(request, response)
    })
  })
  return { ...(await listening(server, host)), seen }
}

async function listening(server: Server, host: string) {
  const sockets = new Set<Socket>()
  let connections = 0
  server.on('connection', (socket: Socket) => {
    connections += 1
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => void server.listen(0, host, resolve))
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => connections,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => void server.close(resolve))
    },
  }
}

/** A port on which nobody listens. */
export async function aClosedPort(): Promise<number> {
  const server = createServer()
  const { port, [Symbol.asyncDispose]: close } = await listening(server, '127.0.0.1')
  await close()
  await new Promise<void>((resolve) => void connect(port, '127.0.0.1').on('error', () => resolve()))
  return port
}

export const OWN_NAME = 'own.example' as ServerName
export const OWN_KEY = createSigningKey({ keyId: 'ed25519:1', seed: new Uint8Array(32).fill(7) })

export async function aTransport(trusted: readonly TestCertificate[]) {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-transport-'))
  const database = await testDatabase(folder)
  const db = await database.open()
  const clock = createSystemClock()
  const names = createTableSource()
  const resolver = createCachingResolver({ source: names, clock })
  const http = createNetworkClient({
    clock,
    allow: addressRanges(['127.0.0.0/8']),
    userAgent: 'Holdfast/test',
    lookup: lookupFunction(resolver),
    trustedCa: [selfSigned({ dnsNames: ['unused.example'] }), ...trusted].map(({ cert }) => cert).join(''),
  })
  const transport = openFederationTransport({
    http,
    resolver,
    clock,
    random: createSeededRandom(1),
    db,
    serverName: OWN_NAME,
    signingKey: OWN_KEY,
    log: createSilentLog(),
  })
  return {
    ...transport,
    names,
    [Symbol.asyncDispose]: async () => {
      await http[Symbol.asyncDispose]()
      await transport.destinations.settled()
      await db[Symbol.asyncDispose]()
      await database[Symbol.asyncDispose]()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
