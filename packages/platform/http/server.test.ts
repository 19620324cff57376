import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createManualClock } from '../clock/manual-clock.ts'
import { addressRanges } from './address-ranges.ts'
import { connectRaw } from './testing/raw-connection.ts'
import { aServer } from './testing/test-server.ts'

const url = (server: { port: number }, path: string) => `http://127.0.0.1:${server.port}${path}`
const until = async (condition: () => boolean) => {
  while (!condition()) await new Promise((resolve) => void setTimeout(resolve, 2))
}
/** What was sent by then is read: each turn of the event loop reads from every socket, however late it comes. */
const untilRead = async () => {
  for (let turn = 0; turn < 200; turn += 1) await new Promise((resolve) => void setImmediate(resolve))
  await new Promise((resolve) => void setTimeout(resolve, 50))
  for (let turn = 0; turn < 200; turn += 1) await new Promise((resolve) => void setImmediate(resolve))
}

test('the record has the target exactly as it was sent, its two halves, lower-case headers and the body', async () => {
  await using server = await aServer()
  using raw = connectRaw(server.port)
  raw.send('PUT /a/%2e%2E/b%2Fc//d?x=%20&y=?z HTTP/1.1\r\nHost: h\r\nX-Upper: Value\r\nContent-Length: 3\r\n\r\nabc')
  await raw.responses(1)
  const request = server.seen[0]!
  assert.equal(request.method, 'PUT')
  assert.equal(request.target, '/a/%2e%2E/b%2Fc//d?x=%20&y=?z')
  assert.equal(request.path, '/a/%2e%2E/b%2Fc//d')
  assert.equal(request.query, 'x=%20&y=?z')
  assert.equal(request.headers['x-upper'], 'Value')
  assert.equal(Buffer.from(request.body).toString(), 'abc')
  assert.equal(request.remoteAddress, '127.0.0.1')
  assert.match(request.id, /^test-/)
})

test('request ids differ', async () => {
  await using server = await aServer()
  await Promise.all([fetch(url(server, '/')), fetch(url(server, '/')), fetch(url(server, '/'))])
  assert.equal(new Set(server.seen.map(({ id }) => id)).size, 3)
})

test('an absolute target is taken for its path, and what is neither is refused', async () => {
  await using server = await aServer()
  using raw = connectRaw(server.port)
  raw.send('GET http://other.example/a?b HTTP/1.1\r\nHost: h\r\n\r\nGET https://x HTTP/1.1\r\nHost: h\r\n\r\n')
  assert.deepEqual(
    (await raw.responses(2)).map(({ status }) => status),
    [200, 200],
  )
  assert.deepEqual(
    server.seen.map(({ target }) => target),
    ['/a?b', '/'],
  )
  using other = connectRaw(server.port)
  other.send('GET a/b HTTP/1.1\r\nHost: h\r\n\r\n')
  assert.equal((await other.responses(1))[0]?.status, 400)
  assert.equal(server.seen.length, 2)
})

test('a body of exactly the limit is whole, in one piece or in many', async () => {
  await using server = await aServer()
  const body = 'x'.repeat(1000)
  assert.equal((await fetch(url(server, '/'), { method: 'POST', body })).status, 200)
  using raw = connectRaw(server.port)
  raw.send('POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n')
  for (let i = 0; i < 100; i += 1) raw.send(`a\r\n${'x'.repeat(10)}\r\n`)
  raw.send('0\r\n\r\n')
  assert.equal((await raw.responses(1))[0]!.status, 200)
  for (const request of server.seen) assert.equal(request.body.length, 1000)
})

test('an announced body above the limit is refused before a byte of it came, and the connection ends', async () => {
  await using server = await aServer()
  using raw = connectRaw(server.port)
  raw.send('POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 1001\r\n\r\n')
  const [response] = await raw.responses(1)
  assert.equal(response!.status, 413)
  assert.equal(response!.headers['connection'], 'close')
  assert.equal(response!.headers['access-control-allow-origin'], '*')
  assert.equal((JSON.parse(response!.body) as { errcode: string }).errcode, 'M_TOO_LARGE')
  raw.send('x'.repeat(1001))
  await raw.closed
  assert.equal(server.seen.length, 0)
})

test('a streamed body is refused at the first byte above the limit, and what follows is no request', async () => {
  await using server = await aServer()
  using raw = connectRaw(server.port)
  raw.send('POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n')
  raw.send(`3e9\r\n${'x'.repeat(1001)}\r\n`)
  const [response] = await raw.responses(1)
  assert.equal(response!.status, 413)
  raw.send('0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n')
  await raw.closed
  assert.equal(server.seen.length, 0)
})

test('a client that sends on after a refusal still reads it, and is cut off in the end', async () => {
  await using server = await aServer({ limits: { lingerMs: 300 } })
  using raw = connectRaw(server.port)
  raw.send(`POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 100000000\r\n\r\n${'x'.repeat(500_000)}`)
  assert.equal((await raw.responses(1))[0]!.status, 413)
  await raw.closed
})

test('the limit is asked by method and path', async () => {
  await using server = await aServer({
    bodyLimit: (method, path) => (method === 'PUT' && path === '/large' ? 5000 : 10),
  })
  const body = 'x'.repeat(100)
  assert.equal((await fetch(url(server, '/large?a'), { method: 'PUT', body })).status, 200)
  assert.equal((await fetch(url(server, '/large'), { method: 'POST', body })).status, 413)
  assert.equal((await fetch(url(server, '/small'), { method: 'PUT', body })).status, 413)
})

test('100 Continue is said to a body within the limit only', async () => {
  await using server = await aServer()
  using small = connectRaw(server.port)
  small.send('POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n')
  assert.equal((await small.responses(1))[0]!.status, 100)
  small.send('{}')
  assert.equal((await small.responses(2))[1]!.status, 200)
  using large = connectRaw(server.port)
  large.send('POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2000\r\n\r\n')
  assert.equal((await large.responses(1))[0]!.status, 413)
})

test('a compressed body is refused: it would unpack beyond every limit', async () => {
  await using server = await aServer()
  for (const encoding of ['gzip', 'br', 'zstd', 'gzip, gzip', 'x']) {
    const headers = { 'content-encoding': encoding }
    const response = await fetch(url(server, '/'), { method: 'POST', body: 'x', headers })
    assert.equal(response.status, 415, encoding)
    await response.text()
  }
  assert.equal(server.seen.length, 0)
})

test('OPTIONS is answered with the CORS headers and reaches no handler', async () => {
  await using server = await aServer()
  for (const path of ['/_matrix/client/v3/sync', '/nowhere']) {
    const response = await fetch(url(server, path), { method: 'OPTIONS' })
    assert.equal(response.status, 204)
    assert.equal(response.headers.get('access-control-allow-origin'), '*')
    assert.match(response.headers.get('access-control-allow-methods')!, /GET.*POST.*PUT.*DELETE.*OPTIONS/)
    assert.equal(response.headers.get('access-control-allow-headers'), 'X-Requested-With, Content-Type, Authorization')
  }
  assert.equal(server.seen.length, 0)
})

test('every response carries the CORS headers, except where pages of other origins have no business', async () => {
  await using server = await aServer({ cors: (path) => !path.startsWith('/_holdfast/') })
  const shared = await fetch(url(server, '/a'))
  assert.equal(shared.headers.get('access-control-allow-origin'), '*')
  const own = await fetch(url(server, '/_holdfast/first-run'))
  assert.equal(own.headers.get('access-control-allow-origin'), null)
})

test('HEAD has the headers of GET and no body', async () => {
  await using server = await aServer({
    handle: async ({ method }) => ({ status: 200, body: `{"method":"${method}"}` }),
  })
  using raw = connectRaw(server.port)
  raw.send('HEAD /a HTTP/1.1\r\nHost: h\r\n\r\n')
  await until(() => server.log.length > 0)
  const head = await new Promise<string>((resolve) => {
    raw.socket.once('data', (chunk) => resolve(chunk.toString()))
    raw.send('HEAD /b HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n')
  })
  assert.match(head, /Content-Length: 16\r\n/)
  assert.ok(head.endsWith('\r\n\r\n'))
})

test('a response without body has no content-type, one with a body is JSON unless it says otherwise', async () => {
  await using server = await aServer({
    handle: async ({ path }) => {
      if (path === '/none') return { status: 204 }
      return path === '/json'
        ? { status: 200, body: '{"ü":1}' }
        : { status: 200, body: Buffer.from([1, 2]), headers: { 'Content-Type': 'image/png' } }
    },
  })
  const none = await fetch(url(server, '/none'))
  assert.deepEqual([none.status, none.headers.get('content-type')], [204, null])
  const json = await fetch(url(server, '/json'))
  assert.deepEqual([json.headers.get('content-type'), json.headers.get('content-length')], ['application/json', '8'])
  assert.deepEqual(await json.json(), { ü: 1 })
  const image = await fetch(url(server, '/image'))
  assert.deepEqual([image.headers.get('content-type'), image.headers.get('content-length')], ['image/png', '2'])
})

test('a handler that fails is a 500 with its id, its cause stays in the log', async () => {
  for (const handle of [
    async () => Promise.reject(new Error('the password is hunter2')),
    () => {
      throw new Error('the password is hunter2')
    },
  ]) {
    await using server = await aServer({ handle })
    const response = await fetch(url(server, '/a'))
    assert.equal(response.status, 500)
    const text = await response.text()
    assert.deepEqual(JSON.parse(text), { errcode: 'M_UNKNOWN', error: 'Internal server error.' })
    const line = server.log.find(({ level }) => level === 'error')!
    assert.equal(line.fields['id'], response.headers.get('x-request-id'))
    assert.match((line.fields['err'] as Error).message, /hunter2/)
    assert.equal((await fetch(url(server, '/b'))).status, 500)
  }
})

test('a header value with a line break becomes no second header', async () => {
  await using server = await aServer({
    handle: async () => ({ status: 200, headers: { 'x-name': 'a\r\nset-cookie: b' }, body: '{}' }),
  })
  const response = await fetch(url(server, '/a'))
  assert.equal(response.status, 500)
  assert.equal(response.headers.get('set-cookie'), null)
})

test('each request has one log line, without its tokens', async () => {
  await using server = await aServer({
    handle: async () => ({
      status: 403,
      body: '{}',
      meta: { requester: '@a:b', operation: 'sync', errcode: 'M_FORBIDDEN' },
    }),
  })
  await fetch(url(server, '/sync?access_token=hunter2&since=s1&access%5Ftoken=hunter2&hunter2&token=hunter2'), {
    headers: { authorization: 'Bearer hunter2' },
  })
  await until(() => server.log.length > 0)
  assert.equal(server.log.length, 1)
  const { fields, message } = server.log[0]!
  assert.equal(message, 'request')
  assert.equal(JSON.stringify(fields).includes('hunter2'), false)
  const { ms, ...rest } = fields
  assert.equal(typeof ms, 'number')
  assert.deepEqual(rest, {
    id: server.seen[0]!.id,
    method: 'GET',
    path: '/sync?access_token=-&since=s1&=-&-&token=-',
    status: 403,
    bytes: 2,
    requester: '@a:b',
    operation: 'sync',
    errcode: 'M_FORBIDDEN',
    address: '127.0.0.1',
  })
})

test('a long path is cut in the log', async () => {
  await using server = await aServer()
  await fetch(url(server, `/${'x'.repeat(5000)}`))
  await until(() => server.log.length > 0)
  assert.ok(String(server.log[0]!.fields['path']).length < 500)
})

test('the request signal aborts when the client goes away, and nothing is left of 500 such requests', async () => {
  let aborted = 0
  await using server = await aServer({
    handle: ({ signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          aborted += 1
          reject(signal.reason as Error)
        })
      }),
  })
  for (let i = 0; i < 500; i += 50) {
    const batch = Array.from({ length: 50 }, () => connectRaw(server.port))
    for (const raw of batch) raw.send('GET /sync HTTP/1.1\r\nHost: h\r\n\r\n')
    await until(() => server.active === 50)
    for (const raw of batch) raw[Symbol.dispose]()
    await until(() => server.active === 0)
  }
  assert.equal(aborted, 500)
  assert.equal(server.log.filter(({ level }) => level === 'error').length, 0)
  assert.equal(server.log.at(-1)!.fields['status'], 499)
  assert.equal(server.log.at(-1)!.fields['address'], '127.0.0.1')
})

test('a signal that is first asked for after the client went away has aborted', async () => {
  const gone = Promise.withResolvers<boolean>()
  const server = await aServer({
    handle: async (request) => {
      await until(() => server.active === 0)
      gone.resolve(request.signal.aborted)
      return { status: 200 }
    },
  })
  const raw = connectRaw(server.port)
  raw.send('GET / HTTP/1.1\r\nHost: h\r\n\r\n')
  await until(() => server.active === 1)
  raw[Symbol.dispose]()
  assert.equal(await gone.promise, true)
  await server.close(100)
})

test('a client that leaves in the middle of its body leaves nothing behind', async () => {
  await using server = await aServer()
  const raw = connectRaw(server.port)
  raw.send('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nhalf')
  await until(() => server.active === 1)
  raw[Symbol.dispose]()
  await until(() => server.active === 0)
  assert.equal(server.seen.length, 0)
})

test('close ends long polls, lets work finish, and accepts nobody new', async () => {
  const server = await aServer({
    handle: async ({ path, signal }) => {
      if (path === '/sync') await new Promise((resolve) => signal.addEventListener('abort', resolve))
      else await new Promise((resolve) => void setTimeout(resolve, 60))
      return { status: 200, body: `{"path":"${path}"}` }
    },
  })
  const sync = fetch(url(server, '/sync'))
  const send = fetch(url(server, '/send'))
  await until(() => server.active === 2)
  const closing = server.close(30_000)
  assert.deepEqual(await (await sync).json(), { path: '/sync' })
  const sent = await send
  assert.equal(sent.headers.get('connection'), 'close')
  assert.deepEqual(await sent.json(), { path: '/send' })
  await closing
  await assert.rejects(fetch(url(server, '/late')))
})

test('close gives up on what does not end by the deadline', async () => {
  const server = await aServer({ handle: () => new Promise(() => {}) })
  const stuck = fetch(url(server, '/stuck'))
  await until(() => server.active === 1)
  const started = performance.now()
  const [, failure] = await Promise.all([server.close(50), stuck.catch((error: unknown) => error)])
  assert.ok(failure instanceof Error)
  assert.ok(performance.now() - started < 20_000)
})

test('close does not wait for connections that only stay open', async () => {
  const server = await aServer()
  using raw = connectRaw(server.port)
  raw.send('GET / HTTP/1.1\r\nHost: h\r\n\r\n')
  await raw.responses(1)
  await server.close(30_000)
  await raw.closed
})

test('a connection serves one request after the other', async () => {
  await using server = await aServer()
  using raw = connectRaw(server.port)
  for (let i = 1; i <= 3; i += 1) {
    raw.send(`GET /${i} HTTP/1.1\r\nHost: h\r\n\r\n`)
    const responses = await raw.responses(i)
    assert.equal(responses[i - 1]!.headers['keep-alive'], 'timeout=65')
  }
})

test('a body that trickles is refused, a large one that flows is not', async () => {
  const clock = createManualClock()
  await using server = await aServer({ clock, bodyLimit: () => 10_000_000 })
  using slow = connectRaw(server.port)
  using large = connectRaw(server.port)
  slow.send('POST /slow HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nx')
  large.send(`POST /large HTTP/1.1\r\nHost: h\r\nContent-Length: 2000000\r\n\r\n${'x'.repeat(1_000_000)}`)
  await until(() => server.active === 2 && large.socket.writableLength === 0)
  await untilRead()
  await clock.advance(74_000)
  assert.equal(server.active, 2)
  await clock.advance(10_000)
  assert.equal((await slow.responses(1))[0]!.status, 408)
  large.send('x'.repeat(1_000_000))
  assert.equal((await large.responses(1))[0]!.status, 200)
  assert.deepEqual(
    server.seen.map(({ path }) => path),
    ['/large'],
  )
})

test('a head that trickles is refused', async () => {
  await using server = await aServer({ limits: { headersMs: 50, sweepEveryMs: 20 } })
  using raw = connectRaw(server.port)
  raw.send('GET / HTTP/1.1\r\nHost:')
  assert.equal((await raw.responses(1))[0]?.status, 408)
  await raw.closed
})

test('a head above 16 KB is refused', async () => {
  await using server = await aServer()
  using raw = connectRaw(server.port)
  raw.send(`GET / HTTP/1.1\r\nHost: h\r\nX: ${'x'.repeat(17_000)}\r\n\r\n`)
  assert.equal((await raw.responses(1))[0]!.status, 431)
})

test('X-Forwarded-For is believed from trusted proxies only', async () => {
  const headers = { 'x-forwarded-for': '203.0.113.9, 198.51.100.7' }
  await using distrusting = await aServer()
  await fetch(url(distrusting, '/'), { headers })
  assert.equal(distrusting.seen[0]!.remoteAddress, '127.0.0.1')
  await using trusting = await aServer({ trustedProxies: addressRanges(['127.0.0.1']) })
  await fetch(url(trusting, '/'), { headers })
  assert.equal(trusting.seen[0]!.remoteAddress, '198.51.100.7')
})

test('large responses are compressed for who accepts it, if that is configured', async () => {
  const handle = async ({ path }: { path: string }) => ({
    status: 200,
    body: `"${'x'.repeat(path === '/large' ? 9000 : 9)}"`,
  })
  await using server = await aServer({ handle, compressResponses: true })
  const encodingOf = async (path: string, accept: string) => {
    const response = await fetch(url(server, path), { headers: { 'accept-encoding': accept } })
    assert.equal(typeof (await response.json()), 'string')
    return response.headers.get('content-encoding')
  }
  assert.equal(await encodingOf('/large', 'br, gzip;q=0.5'), 'gzip')
  assert.equal(await encodingOf('/large', 'gzip;q=0'), null)
  assert.equal(await encodingOf('/large', 'identity'), null)
  assert.equal(await encodingOf('/small', 'gzip'), null)
  await using plain = await aServer({ handle })
  const response = await fetch(url(plain, '/large'))
  assert.equal(response.headers.get('content-encoding'), null)
})

test('localhost is both of its addresses, on one port', async () => {
  await using server = await aServer({ listen: [{ host: 'localhost', port: 0 }] })
  assert.deepEqual(server.urls, [`http://localhost:${server.port}`])
  assert.equal((await fetch(`http://127.0.0.1:${server.port}/`)).status, 200)
  assert.equal((await fetch(`http://[::1]:${server.port}/`)).status, 200)
})

test('a port that is taken is named, and nothing stays open', async () => {
  await using server = await aServer()
  const { port } = server
  await assert.rejects(
    aServer({
      listen: [
        { host: '127.0.0.1', port: 0 },
        { host: '127.0.0.1', port },
      ],
    }),
    {
      message: `cannot listen on 127.0.0.1:${port}: another program listens there already`,
    },
  )
})

test('a request can be served without a log line', async () => {
  await using server = await aServer({ logRequests: false })
  await fetch(url(server, '/'))
  await until(() => server.active === 0)
  assert.equal(server.log.length, 0)
})

test('the outcome of each request is told once', async () => {
  const outcomes: number[] = []
  await using server = await aServer({ onFinished: ({ status }) => outcomes.push(status) })
  await fetch(url(server, '/'))
  await fetch(url(server, '/'), { method: 'POST', body: 'x'.repeat(2000) }).then((response) => response.text())
  await until(() => server.active === 0)
  assert.deepEqual(outcomes, [200, 413])
})

test('a response that nobody takes is given up', async () => {
  const body = 'x'.repeat(8_000_000)
  await using server = await aServer({ handle: async () => ({ status: 200, body }), limits: { writeStallMs: 100 } })
  using stalled = connectRaw(server.port)
  stalled.socket.pause()
  stalled.send('GET /stalled HTTP/1.1\r\nHost: h\r\n\r\n')
  await until(() => server.log.length > 0)
  assert.equal(server.log.at(-1)!.fields['path'], '/stalled')
})

test('a response that is taken slowly is not given up', async () => {
  const body = 'x'.repeat(16_000_000)
  const writeStallMs = 1_500
  await using server = await aServer({ handle: async () => ({ status: 200, body }), limits: { writeStallMs } })
  using slow = connectRaw(server.port)
  const started = performance.now()
  slow.send('GET /slow HTTP/1.1\r\nHost: h\r\n\r\n')
  slow.socket.on('data', () => {
    slow.socket.pause()
    // The last of it may hurry: by then it has taken longer than a stall may.
    setTimeout(() => slow.socket.resume(), performance.now() - started < 1.5 * writeStallMs ? 20 : 0)
  })
  const [response] = await slow.responses(1)
  assert.equal(response!.body.length, body.length)
  assert.ok(performance.now() - started > writeStallMs)
})
