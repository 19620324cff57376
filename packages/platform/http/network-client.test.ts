import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import { type AddressInfo, createServer as createNetServer, type LookupFunction, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createSystemClock } from '../clock/system-clock.ts'
import { addressRanges } from './address-ranges.ts'
import { OutgoingFailed, type OutgoingFailure, type OutgoingRequest } from './client.ts'
import { createNetworkClient, type NetworkClientOptions } from './network-client.ts'
import { readTrustedCa } from './trusted-ca.ts'
import { selfSigned } from './testing/certificate.ts'
import { aServer } from './testing/test-server.ts'

/** For what only must happen at last. */
const PATIENCE_MS = 30_000
const LOOPBACK = addressRanges(['127.0.0.0/8', '::1'])

function aClient(options: Partial<NetworkClientOptions> = {}) {
  return createNetworkClient({ clock: createSystemClock(), allow: LOOPBACK, userAgent: 'Holdfast/test', ...options })
}

function get(url: string, more: Partial<OutgoingRequest> = {}): OutgoingRequest {
  return { method: 'GET', url, deadlineMs: PATIENCE_MS, responseBytesMax: 1000, ...more }
}

async function aPeer(listener: RequestListener) {
  const server = createServer(listener)
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  let connections = 0
  server.on('connection', () => (connections += 1))
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    connections: () => connections,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => void server.close(resolve))
    },
  }
}

function fails(sending: Promise<unknown>, failure: OutgoingFailure, message?: string) {
  return assert.rejects(
    sending,
    (error) => {
      assert.ok(error instanceof OutgoingFailed)
      assert.equal(error.failure, failure, error.message)
      return true
    },
    message,
  )
}

test('method, path, headers and body arrive as they were given', async () => {
  await using server = await aServer({
    handle: async () => ({ status: 201, headers: { 'x-a': 'b' }, body: '{"ü":1}' }),
  })
  await using client = aClient()
  const url = `http://127.0.0.1:${server.port}/a/../%2e/b%2Fc?d=[1]`
  const response = await client.send(
    get(url, { method: 'PUT', headers: { authorization: 'X-Matrix a' }, body: '{"ä":1}' }),
  )
  assert.equal(response.status, 201)
  assert.equal(response.headers['x-a'], 'b')
  assert.equal(Buffer.from(response.body).toString(), '{"ü":1}')
  const request = server.seen[0]!
  assert.equal(request.target, '/a/../%2e/b%2Fc?d=[1]')
  assert.equal(request.method, 'PUT')
  assert.equal(request.headers['authorization'], 'X-Matrix a')
  assert.equal(request.headers['user-agent'], 'Holdfast/test')
  assert.equal(Buffer.from(request.body).toString(), '{"ä":1}')
})

test('no form of a private address is ever connected to', async () => {
  await using peer = await aPeer((_, response) => response.end())
  await using client = aClient({ allow: addressRanges([]) })
  const { port } = peer
  const hosts = ['127.0.0.1', 'localhost', '127.1', '0x7f.1', '0177.0.0.1', '2130706433', '①②⑦.⓪.⓪.①', '0.0.0.0', '0']
  hosts.push('[::1]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[::127.0.0.1]', '[64:ff9b::7f00:1]', '[2002:7f00:1::]')
  for (const host of hosts) await fails(client.send(get(`http://${host}:${port}/`)), 'address-not-allowed', host)
  for (const host of ['127.0.0.1', 'localhost', '::1', '0x7f.1']) {
    const sending = client.send(get('http://matrix.example/', { connectTo: { host, port } }))
    await fails(sending, 'address-not-allowed', host)
  }
  assert.equal(peer.connections(), 0)
})

test('a name that changes its mind between two answers is never connected to where it must not be', async () => {
  await using peer = await aPeer((_, response) => response.end())
  const answers = ['93.184.216.34', '127.0.0.1']
  const asked: string[] = []
  const lookup: LookupFunction = (hostname, _options, callback) => {
    asked.push(hostname)
    callback(null, [{ address: answers.length > 1 ? answers.shift()! : answers[0]!, family: 4 }])
  }
  await using client = aClient({ allow: addressRanges([]), lookup })
  const url = `http://rebind.example:${peer.port}/`
  await assert.rejects(client.send(get(url, { deadlineMs: 300 })))
  await fails(client.send(get(url)), 'address-not-allowed')
  assert.ok(asked.length >= 2)
  assert.equal(peer.connections(), 0)
})

test('of several addresses only the permitted ones are tried', async () => {
  await using peer = await aPeer((_, response) => response.end('{}'))
  const lookup: LookupFunction = (_hostname, _options, callback) => {
    callback(null, [
      { address: '10.0.0.1', family: 4 },
      { address: '127.0.0.1', family: 4 },
    ])
  }
  await using client = aClient({ lookup })
  assert.equal((await client.send(get(`http://mixed.example:${peer.port}/`))).status, 200)
})

test('what is no http or https URL is refused', async () => {
  await using client = aClient()
  const urls = [
    '',
    'ftp://a/',
    'file:///etc/passwd',
    '//a/',
    'http:/a',
    'http://',
    'http://user@127.0.0.1/',
    'http://a b/',
  ]
  urls.push(
    'http://127.0.0.1:99999/',
    'http://127.0.0.1/ b',
    'http://127.0.0.1/\r\nX: y',
    'javascript:alert(1)',
    'http://a\\@b/',
  )
  for (const url of urls) await fails(client.send(get(url)), 'bad-url', url)
})

test('a redirect is an answer and is not followed', async () => {
  await using peer = await aPeer((_, response) => response.writeHead(302, { location: 'http://10.0.0.1/' }).end())
  await using client = aClient()
  const response = await client.send(get(peer.url))
  assert.equal(response.status, 302)
  assert.equal(response.headers['location'], 'http://10.0.0.1/')
})

test('a response above the limit is cut off, announced or not', async () => {
  await using announced = await aPeer((_, response) => response.end('x'.repeat(1001)))
  let sent = 0
  await using endless = await aPeer((_, response) => {
    const more = () => {
      while (!response.destroyed && response.write('x'.repeat(10_000))) sent += 10_000
    }
    response.on('drain', more)
    more()
  })
  await using client = aClient()
  await fails(client.send(get(announced.url)), 'too-large')
  await fails(client.send(get(endless.url)), 'too-large')
  assert.ok(sent < 10_000_000)
  assert.equal((await client.send(get(announced.url, { responseBytesMax: 1001 }))).body.length, 1001)
})

test('the deadline covers silence, a slow head and a slow body', async () => {
  await using silent = await aPeer(() => {})
  await using slow = await aPeer((_, response) => {
    response.writeHead(200)
    const timer = setInterval(() => response.write('x'), 20)
    response.on('close', () => clearInterval(timer))
  })
  await using client = aClient()
  for (const url of [silent.url, slow.url]) {
    const started = performance.now()
    await fails(client.send(get(url, { deadlineMs: 150 })), 'timeout')
    assert.ok(performance.now() - started < PATIENCE_MS)
  }
})

test('a caller can give up', async () => {
  await using silent = await aPeer(() => {})
  await using client = aClient()
  const controller = new AbortController()
  const sending = client.send(get(silent.url, { signal: controller.signal }))
  setTimeout(() => controller.abort(), 30)
  await fails(sending, 'aborted')
  await fails(client.send(get(silent.url, { signal: AbortSignal.abort() })), 'aborted')
})

test('a compressed response is refused, whatever it would unpack to', async () => {
  await using peer = await aPeer((_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end('bomb'))
  await using client = aClient()
  await fails(client.send(get(peer.url)), 'bad-response')
})

test('a name that does not exist, a closed port and bytes that are not HTTP are told apart from answers', async () => {
  await using client = aClient()
  await fails(client.send(get('http://no-such-name.invalid/')), 'unreachable')
  let port = 0
  {
    await using peer = await aPeer(() => {})
    port = peer.port
  }
  await fails(client.send(get(`http://127.0.0.1:${port}/`)), 'unreachable')
  await using garbage = await aPeer((request) => request.socket.end('SSH-2.0-OpenSSH\r\n'))
  await fails(client.send(get(garbage.url)), 'bad-response')
})

test('a certificate must carry the name of the URL and come from a trusted authority', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-ca-'))
  const files = { certFile: join(folder, 'cert.pem'), keyFile: join(folder, 'key.pem') }
  const { cert, key } = selfSigned({ dnsNames: ['matrix.example'], addresses: ['127.0.0.1'] })
  await writeFile(files.certFile, cert)
  await writeFile(files.keyFile, key)
  await using server = await aServer({ tls: files })
  await using trusting = aClient({ trustedCa: await readTrustedCa(files.certFile) })
  await using distrusting = aClient()
  const connectTo = { host: 'localhost', port: server.port }
  assert.equal((await trusting.send(get('https://matrix.example/a', { connectTo }))).status, 200)
  assert.equal(server.seen[0]!.headers['host'], 'matrix.example')
  assert.equal((await trusting.send(get(`https://127.0.0.1:${server.port}/a`))).status, 200)
  await fails(trusting.send(get('https://other.example/a', { connectTo })), 'certificate')
  await fails(distrusting.send(get('https://matrix.example/a', { connectTo })), 'certificate')
  assert.equal(server.seen.length, 2)
  await rm(folder, { recursive: true })
})

test('neither a deadline, nor giving up, nor a stop waits for a server that is silent as it should say hello', async () => {
  const held: Socket[] = []
  const mute = createNetServer((socket) => held.push(socket))
  await new Promise<void>((resolve) => void mute.listen(0, '127.0.0.1', resolve))
  const client = aClient()
  const url = `https://127.0.0.1:${(mute.address() as AddressInfo).port}/`
  await fails(client.send(get(url, { deadlineMs: 100 })), 'timeout')
  await fails(client.send(get(url, { signal: AbortSignal.timeout(100) })), 'aborted')
  const sending = client.send(get(url, { deadlineMs: 2 * PATIENCE_MS }))
  const failing = assert.rejects(sending, { name: 'OutgoingFailed', failure: 'aborted' })
  const startedMs = performance.now()
  await client[Symbol.asyncDispose]()
  await failing
  assert.ok(performance.now() - startedMs < PATIENCE_MS)
  for (const socket of held) socket.destroy()
  mute.close()
})

test('a failure says whether anything can have been sent', async () => {
  await using cut = await aPeer((request) => request.socket.destroy())
  await using client = aClient()
  await assert.rejects(client.send(get(cut.url)), { failure: 'unreachable', maybeSent: true })
  await assert.rejects(client.send(get('http://127.0.0.1:1/')), { failure: 'unreachable', maybeSent: false })
  await assert.rejects(client.send(get('http://no-such-name.invalid/')), { failure: 'unreachable', maybeSent: false })
  await assert.rejects(client.send(get('http://10.0.0.1/')), { failure: 'address-not-allowed', maybeSent: false })
})

test('connections are kept for the next request', async () => {
  await using peer = await aPeer((_, response) => response.end('{}'))
  await using client = aClient()
  for (let i = 0; i < 10; i += 1) await client.send(get(peer.url))
  assert.ok(peer.connections() <= 2)
})
