import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { connect } from 'node:tls'
import { createManualClock } from '../clock/manual-clock.ts'
import { selfSigned } from './testing/certificate.ts'
import { aServer } from './testing/test-server.ts'
import { watchFiles } from './tls-files.ts'

async function certificateFiles() {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-tls-'))
  const files = { certFile: join(folder, 'cert.pem'), keyFile: join(folder, 'key.pem') }
  const write = async (parts: { readonly cert?: string; readonly key?: string }) => {
    if (parts.cert !== undefined) await writeFile(files.certFile, parts.cert)
    if (parts.key !== undefined) await writeFile(files.keyFile, parts.key)
  }
  return { files, write, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) }
}

/** The whole conversation over TLS: the certificate's name, and the response to a GET. */
function get(port: number, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', servername: 'localhost', ca }, () => {
      socket.write('GET /a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
    })
    let received = ''
    socket.on('data', (chunk: Buffer) => (received += chunk.toString()))
    socket.on('close', () => resolve(received))
    socket.on('error', reject)
  })
}

test('HTTPS is served with the configured files, and with new ones after a reload', async () => {
  await using certificates = await certificateFiles()
  const [first, second] = [selfSigned({ dnsNames: ['localhost'] }), selfSigned({ dnsNames: ['localhost'] })]
  await certificates.write(first)
  await using server = await aServer({ tls: certificates.files })
  assert.match(server.urls[0]!, /^https:/)
  assert.match(await get(server.port, first.cert), /^HTTP\/1.1 200 OK/)
  await certificates.write(second)
  await server.reloadCertificate()
  assert.match(await get(server.port, second.cert), /^HTTP\/1.1 200 OK/)
  await assert.rejects(get(server.port, first.cert), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' })
})

test('a certificate without its key does not take the place of a working one', async () => {
  await using certificates = await certificateFiles()
  const first = selfSigned({ dnsNames: ['localhost'] })
  await certificates.write(first)
  await using server = await aServer({ tls: certificates.files })
  await certificates.write({ cert: selfSigned({ dnsNames: ['localhost'] }).cert })
  await server.reloadCertificate()
  await certificates.write({ cert: 'garbage' })
  await server.reloadCertificate()
  assert.equal(server.log.filter(({ level }) => level === 'error').length, 2)
  assert.match(await get(server.port, first.cert), /^HTTP\/1.1 200 OK/)
})

test('files that cannot be used stop the start', async () => {
  await using certificates = await certificateFiles()
  await assert.rejects(aServer({ tls: certificates.files }), { code: 'ENOENT' })
  const { cert } = selfSigned({ dnsNames: ['localhost'] })
  await certificates.write({ cert, key: selfSigned({ dnsNames: ['localhost'] }).key })
  await assert.rejects(aServer({ tls: certificates.files }), /key values mismatch/)
})

test('changed files are noticed within a minute', async () => {
  await using certificates = await certificateFiles()
  await certificates.write(selfSigned({ dnsNames: ['localhost'] }))
  const clock = createManualClock()
  let changes = 0
  using watching = watchFiles(certificates.files, clock, async () => void (changes += 1))
  const untilItLooked = async () => {
    while (clock.pending === 0) await new Promise((resolve) => void setTimeout(resolve, 2))
  }
  await untilItLooked()
  await clock.advance(61_000)
  await untilItLooked()
  assert.equal(changes, 0)
  await certificates.write(selfSigned({ dnsNames: ['localhost', 'other.example'] }))
  await clock.advance(61_000)
  await untilItLooked()
  assert.equal(changes, 1)
  watching[Symbol.dispose]()
  assert.equal(clock.pending, 0)
})
