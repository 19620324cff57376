import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { selfSigned } from '@holdfast/platform/http/testing/certificate'
import { verifyRequest } from '@holdfast/protocol/federation/signed-request'
import { parseXMatrixList } from '@holdfast/protocol/federation/x-matrix'
import type { ServerName } from '@holdfast/protocol/ids/brand'
import { parseVerifyKey } from '@holdfast/protocol/signing/verify-key'
import type { FederationRequest } from './federation-client.ts'
import { type FederationFailure, FederationFailed } from './federation-failed.ts'
import { aClosedPort, aPeer, aTransport, OWN_KEY, OWN_NAME, type SeenRequest } from './testing/peers.ts'

type Answer = Parameters<typeof aPeer>[1]

const CERTIFICATE = selfSigned({ dnsNames: ['a.example', 'b.example'], addresses: ['127.0.0.1', '127.0.0.2'] })

/** A peer at a name with a port, and a transport that finds it. */
async function aPair(answer: Answer, certificate = CERTIFICATE) {
  const peer = await aPeer(certificate, answer)
  const transport = await aTransport([CERTIFICATE])
  transport.names.addressTable.set('a.example', { records: ['127.0.0.1'] })
  const destination = `a.example:${peer.port}` as ServerName
  return {
    ...transport,
    peer,
    destination,
    send: (more: Partial<FederationRequest> = {}) =>
      transport.client.send({ destination, method: 'GET', path: '/_matrix/x', deadlineMs: 30_000, ...more }),
    isUp: async () => (await transport.destinations.state(destination)).kind === 'up',
    [Symbol.asyncDispose]: async () => {
      await transport[Symbol.asyncDispose]()
      await peer[Symbol.asyncDispose]()
    },
  }
}

async function fails(
  sending: Promise<unknown>,
  failure: FederationFailure,
  message?: string,
): Promise<FederationFailed> {
  const error = await sending.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof FederationFailed, `${message ?? ''} ${String(error)}`)
  assert.equal(error.failure, failure, `${message ?? ''} ${error.message}`)
  return error
}

const json =
  (value: unknown, status = 200, headers: Record<string, string> = {}): Answer =>
  (_, response) =>
    void response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value))

test('a request arrives signed, in canonical form, with path and Host as they were given', async () => {
  await using pair = await aPair(json({ ok: true }))
  const path = '/_matrix/federation/v1/send/a%2Fb?c=%2e&d=[1]'
  assert.equal(JSON.stringify(await pair.send({ method: 'PUT', path, body: { b: 1, a: 'ü' } })), '{"ok":true}')
  const seen = pair.peer.seen[0]!
  assert.deepEqual(
    [seen.method, seen.url, seen.headers.host, seen.body],
    ['PUT', path, pair.destination, '{"a":"ü","b":1}'],
  )
  assert.equal(seen.headers['content-type'], 'application/json')
  assert.ok(isSigned(seen, pair.destination))
  assert.ok(!isSigned(seen, 'b.example' as ServerName))
})

function isSigned({ method, url, headers, body }: SeenRequest, destination: ServerName): boolean {
  const credentials = parseXMatrixList(headers.authorization ?? '') ?? []
  assert.deepEqual(
    credentials.map(({ origin }) => origin),
    [OWN_NAME],
  )
  const content = body === '' ? undefined : JSON.parse(body)
  const request = { method, uri: url, origin: OWN_NAME, destination, content }
  return verifyRequest(request, { credentials, keyOf: () => parseVerifyKey(OWN_KEY.publicKey) }).valid
}

test('a GET is signed without content, and a request for keys not at all', async () => {
  await using pair = await aPair(json({}))
  await pair.send()
  await pair.send({ signed: false })
  assert.ok(isSigned(pair.peer.seen[0]!, pair.destination))
  assert.equal(pair.peer.seen[1]!.headers.authorization, undefined)
})

test('a server is never asked by itself', async () => {
  await using pair = await aPair(json({}))
  await fails(pair.send({ destination: OWN_NAME }), 'own-server')
})

test('a certificate that is expired, of another name, or of nobody we know ends the connection', async () => {
  const wrong = {
    expired: selfSigned({ dnsNames: ['a.example'], expired: true }),
    'of another name': selfSigned({ dnsNames: ['b.example'] }),
    'of an address only': selfSigned({ dnsNames: [], addresses: ['127.0.0.1'] }),
    unknown: selfSigned({ dnsNames: ['a.example'] }),
  }
  for (const [what, certificate] of Object.entries(wrong)) {
    await using peer = await aPeer(certificate, json({}))
    await using transport = await aTransport(what === 'unknown' ? [] : [certificate])
    transport.names.addressTable.set('a.example', { records: ['127.0.0.1'] })
    const destination = `a.example:${peer.port}` as ServerName
    await fails(
      transport.client.send({ destination, method: 'GET', path: '/', deadlineMs: 30_000 }),
      'certificate',
      what,
    )
    assert.equal(peer.seen.length, 0, what)
    assert.equal((await transport.destinations.state(destination)).kind, 'backing-off')
  }
})

test('the certificate of an address literal must name the address', async () => {
  for (const [addresses, holds] of [
    [['127.0.0.1'], true],
    [['127.0.0.2'], false],
  ] as const) {
    const certificate = selfSigned({ dnsNames: ['127.0.0.1'], addresses })
    await using peer = await aPeer(certificate, json({}))
    await using transport = await aTransport([certificate])
    const destination = `127.0.0.1:${peer.port}` as ServerName
    const sending = transport.client.send({ destination, method: 'GET', path: '/', deadlineMs: 30_000 })
    if (holds) await sending
    else await fails(sending, 'certificate')
  }
})

test('[FT20] of several addresses the next is tried while nothing was sent, under the name of the server', async () => {
  await using peer = await aPeer(CERTIFICATE, json({ ok: true }), '127.0.0.2')
  await using stranger = await aPeer(selfSigned({ dnsNames: ['evil.example'] }), json({}))
  await using transport = await aTransport([CERTIFICATE])
  const service = (target: string, port: number, priority: number) => ({ target, port, priority, weight: 0 })
  transport.names.srvTable.set('_matrix-fed._tcp.b.example', {
    records: [
      service('dead.example', await aClosedPort(), 1),
      service('private.example', 8448, 2),
      service('nowhere.example', 8448, 3),
      service('stranger.example', stranger.port, 4),
      service('good.example', peer.port, 5),
    ],
  })
  for (const [name, address] of [
    ['dead', '127.0.0.1'],
    ['private', '10.0.0.1'],
    ['stranger', '127.0.0.1'],
    ['good', '127.0.0.2'],
  ])
    transport.names.addressTable.set(`${name}.example`, { records: [address!] })
  const destination = 'b.example' as ServerName
  await transport.client.send({ destination, method: 'POST', path: '/', body: {}, deadlineMs: 30_000 })
  assert.equal(peer.seen[0]!.headers.host, 'b.example')
  assert.equal(stranger.seen.length, 0)
})

test('[FT20] what was cut off is sent once more by GET and PUT, never by POST', async () => {
  const cutFirst = (): Answer => {
    let count = 0
    return (_, response) => ((count += 1) === 1 ? response.socket?.destroy() : json({})(_, response))
  }
  for (const method of ['GET', 'PUT'] as const) {
    await using pair = await aPair(cutFirst())
    await pair.send({ method })
    assert.equal(pair.peer.seen.length, 2)
  }
  await using pair = await aPair(cutFirst())
  await fails(pair.send({ method: 'POST' }), 'unreachable')
  assert.equal(pair.peer.seen.length, 1)
  await using dead = await aPair((_, response) => response.socket?.destroy())
  await fails(dead.send(), 'unreachable')
  assert.equal(dead.peer.seen.length, 2)
})

test('silence at any stage ends with the deadline', async () => {
  const held: Socket[] = []
  const mute = createServer((socket) => held.push(socket))
  await new Promise<void>((resolve) => void mute.listen(0, '127.0.0.1', resolve))
  await using transport = await aTransport([CERTIFICATE])
  const destination = `127.0.0.1:${(mute.address() as AddressInfo).port}` as ServerName
  await fails(transport.client.send({ destination, method: 'GET', path: '/', deadlineMs: 200 }), 'timeout')
  assert.equal((await transport.destinations.state(destination)).kind, 'backing-off')
  for (const socket of held) socket.destroy()
  mute.close()
  const drip: Answer = (_, response) => {
    response.writeHead(200)
    const timer = setInterval(() => response.write(' '), 20)
    response.on('close', () => clearInterval(timer))
  }
  const headOnly: Answer = (_, response) => response.writeHead(200).flushHeaders()
  for (const answer of [() => {}, drip, headOnly]) {
    await using pair = await aPair(answer)
    const startedMs = performance.now()
    await fails(pair.send({ deadlineMs: 300 }), 'timeout')
    assert.ok(performance.now() - startedMs < 20_000)
    assert.equal(await pair.isUp(), false)
  }
})

test('[FT23] a kept connection that died in silence costs one deadline, and the next request takes a new one', async () => {
  let count = 0
  await using pair = await aPair((request, response) => {
    count += 1
    // The second is never answered, as if a firewall had forgotten the connection.
    if (count !== 2) json({})(request, response)
  })
  await pair.send()
  assert.equal(pair.peer.connections(), 1)
  await fails(pair.send({ method: 'POST', body: {}, deadlineMs: 300 }), 'timeout')
  await pair.send({ urgent: true })
  assert.equal(count, 3)
  assert.equal(pair.peer.connections(), 2)
})

test('[FT23] a peer that closes its half of the connection instead of answering is away, soon', async () => {
  const halves: Record<string, Answer> = {
    'before the answer': (_, response) => void response.socket?.end(),
    'in the head': (_, response) => void response.socket?.end('HTTP/1.1 200 OK\r\nContent-'),
    'in the body': (_, response) => void response.socket?.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"a":'),
  }
  for (const [where, answer] of Object.entries(halves)) {
    await using pair = await aPair(answer)
    const startedMs = performance.now()
    const error = await pair.send({ method: 'POST', body: {} }).then(
      () => undefined,
      (reason: unknown) => reason,
    )
    assert.ok(error instanceof FederationFailed, where)
    assert.ok(['unreachable', 'bad-response'].includes(error.failure), `${where}: ${error.failure}`)
    assert.ok(performance.now() - startedMs < 10_000, where)
    assert.equal(await pair.isUp(), false, where)
    assert.equal(pair.peer.seen.length, 1, where)
  }
})

test('a name that the name servers do not know, or fail over, is a server that is away', async () => {
  await using transport = await aTransport([CERTIFICATE])
  transport.names.addressTable.set('failing.example', 'failure')
  transport.names.addressTable.set('empty.example', { records: [] })
  for (const name of ['failing.example:8448', 'empty.example:8448', 'unknown.example', 'failing.example']) {
    const destination = name as ServerName
    await fails(
      transport.client.send({ destination, method: 'GET', path: '/', deadlineMs: 30_000 }),
      'unreachable',
      name,
    )
    assert.equal((await transport.destinations.state(destination)).kind, 'backing-off', name)
  }
})

test('[FT21] what is no answer of a Matrix server is a failure of the server', async () => {
  const bomb = gzipSync(Buffer.alloc(10_000_000))
  const text =
    (body: string): Answer =>
    (_, response) =>
      void response.end(body)
  const answers: Record<string, readonly [Answer, FederationFailure]> = {
    'a gzip bomb': [
      (_, response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb),
      'bad-response',
    ],
    'a redirect': [json({}, 302, { location: 'https://evil.example/' }), 'bad-response'],
    'a status of success without an answer': [json({}, 204), 'bad-response'],
    'a page': [text('<html>hello</html>'), 'bad-response'],
    nothing: [text(''), 'bad-response'],
    'a key twice': [text('{"a":1,"a":2}'), 'bad-response'],
    'no UTF-8': [(_, response) => void response.end(Buffer.from([0x22, 0xff, 0x22])), 'bad-response'],
    'half a surrogate': [text('"\\ud800"'), 'bad-response'],
    'too much': [text(`"${'x'.repeat(2000)}"`), 'too-large'],
    'no HTTP': [(_, response) => void response.socket?.end('SSH-2.0-OpenSSH\r\n'), 'bad-response'],
    'endless headers': [
      (_, response) => void response.socket?.write(`HTTP/1.1 200 OK\r\n${'X: y\r\n'.repeat(10_000)}`),
      'bad-response',
    ],
  }
  for (const [what, [answer, failure]] of Object.entries(answers)) {
    await using pair = await aPair(answer)
    await fails(pair.send({ responseBytesMax: 1000 }), failure, what)
    assert.equal(await pair.isUp(), false, what)
  }
})

test('JSON counts whatever its type is said to be, and however deep it is', async () => {
  await using pair = await aPair(
    (_, response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('{"a":1}'),
  )
  assert.equal(JSON.stringify(await pair.send()), '{"a":1}')
  await using deep = await aPair((_, response) => void response.end(`${'['.repeat(5_000)}${']'.repeat(5_000)}`))
  assert.ok(Array.isArray(await deep.send()))
})

test('[FT22] an error of the other server keeps its code and some of its words, and is about the request', async () => {
  await using pair = await aPair(
    json(
      { errcode: 'M_INCOMPATIBLE_ROOM_VERSION', error: `no\u0000\u202e${'x'.repeat(10_000)}`, room_version: '12' },
      400,
    ),
  )
  const error = await fails(pair.send(), 'matrix-error')
  assert.deepEqual(
    [error.status, error.errcode, error.body?.['room_version']],
    [400, 'M_INCOMPATIBLE_ROOM_VERSION', '12'],
  )
  assert.ok(error.message.length < 400 && !/[\0\u202e]/.test(error.message))
  assert.equal(await pair.isUp(), true)
  for (const status of [401, 403, 404, 405]) {
    await using refusing = await aPair(json({ errcode: 'M_UNKNOWN_TOKEN', error: 'no' }, status))
    assert.equal((await fails(refusing.send(), 'matrix-error')).status, status)
    assert.equal(await refusing.isUp(), true)
  }
})

test('an error code is a word, or none', async () => {
  for (const errcode of [7, null, {}, '', 'a b', 'x\n', 'M_'.repeat(100), '<script>']) {
    await using pair = await aPair(json({ errcode, error: errcode }, 403))
    assert.equal((await fails(pair.send(), 'matrix-error')).errcode, undefined)
  }
})

test('an error page of five megabytes is an error in a few words', async () => {
  await using pair = await aPair((_, response) => void response.writeHead(502).end('<'.repeat(5_000_000)))
  const error = await fails(pair.send(), 'matrix-error')
  assert.deepEqual([error.status, error.errcode, error.message], [502, undefined, 'answered 502'])
  assert.equal(await pair.isUp(), false)
})

test('[FT10] a server that fails is left alone, unless a user waits', async () => {
  let status = 500
  await using pair = await aPair((request, response) => json({}, status)(request, response))
  await fails(pair.send(), 'matrix-error')
  const error = await fails(pair.send(), 'backing-off')
  assert.ok(error.retryAfterMs! > 0 && error.retryAfterMs! <= 1000)
  assert.equal(pair.peer.seen.length, 1)
  await fails(pair.send({ urgent: true }), 'matrix-error')
  status = 200
  await pair.send({ urgent: true })
  await pair.send()
  assert.equal(pair.peer.seen.length, 4)
})

test('[FT10] a server that is busy says for how long', async () => {
  for (const answer of [
    json({}, 429, { 'retry-after': '600' }),
    json({ errcode: 'M_LIMIT_EXCEEDED', retry_after_ms: 600_000 }, 429),
  ]) {
    await using pair = await aPair(answer)
    assert.equal((await fails(pair.send(), 'matrix-error')).retryAfterMs, 600_000)
    assert.ok((await fails(pair.send(), 'backing-off')).retryAfterMs! > 590_000)
  }
})

test('who gives up says nothing about the server', async () => {
  await using pair = await aPair(() => {})
  const controller = new AbortController()
  const sending = fails(pair.send({ signal: controller.signal }), 'aborted')
  setTimeout(() => controller.abort(), 50)
  await sending
  await fails(pair.send({ signal: AbortSignal.abort() }), 'aborted')
  assert.equal(await pair.isUp(), true)
})

test('no name leads inside, whether by address, well-known or service', async () => {
  await using transport = await aTransport([CERTIFICATE])
  transport.names.addressTable.set('inside.example', {
    records: ['10.0.0.1', '::1', '169.254.169.254', '::ffff:10.0.0.1'],
  })
  transport.names.srvTable.set('_matrix-fed._tcp.service.example', {
    records: [{ target: 'inside.example', port: 8448, priority: 1, weight: 1 }],
  })
  for (const name of [
    '10.0.0.1',
    '[::1]',
    '[::ffff:10.0.0.1]:8448',
    '[64:ff9b::7f00:1]',
    'inside.example:8448',
    'inside.example',
    'service.example',
  ]) {
    const destination = name as ServerName
    await fails(
      transport.client.send({ destination, method: 'GET', path: '/', deadlineMs: 30_000 }),
      'address-not-allowed',
      name,
    )
  }
})
