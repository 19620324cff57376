/** Two programs that read one byte stream differently let a client put words in another's mouth. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connectRaw } from './testing/raw-connection.ts'
import { aServer } from './testing/test-server.ts'

const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n'

/** Each must be refused as a whole: no handler sees any of it. */
const REFUSED: Readonly<Record<string, string>> = {
  'length and chunks': `POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`,
  'chunks and length': `POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n${SMUGGLED}`,
  'two lengths': `POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nContent-Length: 0\r\n\r\n{}${SMUGGLED}`,
  'two equal lengths': `POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}${SMUGGLED}`,
  'a list of lengths': `POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 2, 2\r\n\r\n{}${SMUGGLED}`,
  'a signed length': `POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: +2\r\n\r\n{}${SMUGGLED}`,
  'a negative length': `POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: -2\r\n\r\n{}${SMUGGLED}`,
  'a length with a space': `POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 0 2\r\n\r\n{}${SMUGGLED}`,
  'a hexadecimal length': `POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 0x2\r\n\r\n{}${SMUGGLED}`,
  'a length with an exponent': `POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 2e0\r\n\r\n{}${SMUGGLED}`,
  'an empty length': `POST /a HTTP/1.1\r\nHost: h\r\nContent-Length:\r\n\r\n${SMUGGLED}`,
  'a length beyond 64 bits': `POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 18446744073709551618\r\n\r\n{}${SMUGGLED}`,
  'a space before the colon': `POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`,
  'an unknown coding': `POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${SMUGGLED}`,
  'chunked not last': `POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${SMUGGLED}`,
  'chunked in disguise': `POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: \u000bchunked\r\n\r\n0\r\n\r\n${SMUGGLED}`,
  'a folded header': `POST /a HTTP/1.1\r\nHost: h\r\nX: a\r\n Content-Length: 2\r\n\r\n${SMUGGLED}`,
  'a folded coding': `POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`,
  'bare line feeds': 'GET /a HTTP/1.1\nHost: h\n\n',
  'a bare line feed in a header': `GET /a HTTP/1.1\r\nHost: h\r\nX: a\nContent-Length: 5\r\n\r\n${SMUGGLED}`,
  'a bare carriage return': `GET /a HTTP/1.1\r\nHost: h\r\nX: a\rY: b\r\n\r\n`,
  'a NUL': `GET /a HTTP/1.1\r\nHost: h\r\nX: a\0b\r\n\r\n`,
  'a header without a name': `GET /a HTTP/1.1\r\nHost: h\r\n: x\r\n\r\n`,
  'a space in a name': `GET /a HTTP/1.1\r\nHost: h\r\nA B: x\r\n\r\n`,
  'no host': 'GET /a HTTP/1.1\r\n\r\n',
  'no version': 'GET /a\r\n\r\n',
  'version 2 in text': 'GET /a HTTP/2.0\r\nHost: h\r\n\r\n',
  'a space in the target': 'GET /a b HTTP/1.1\r\nHost: h\r\n\r\n',
  'a chunk of negative size': 'POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\nx\r\n0\r\n\r\n',
  'a chunk size with 0x': 'POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\nx\r\n0\r\n\r\n',
  'a chunk beyond 64 bits':
    'POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000002\r\nx\r\n0\r\n\r\n',
  'a chunk longer than its size':
    'POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxyz\r\n0\r\n\r\n',
  'a chunk size ended by a line feed':
    'POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\nx\r\n0\r\n\r\n',
  'a line feed in a chunk extension':
    'POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1;\nx\r\n0\r\n\r\n',
  'TLS to a plain port': '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003',
  'a proxy greeting': `PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\n${SMUGGLED}`,
}

for (const [name, bytes] of Object.entries(REFUSED)) {
  test(`refused with the connection: ${name}`, async () => {
    await using server = await aServer()
    using raw = connectRaw(server.port)
    raw.send(Buffer.from(bytes, 'latin1'))
    const responses = await raw.responses(2)
    await raw.closed
    for (const { status, body } of responses) {
      assert.ok([400, 413, 505].includes(status), String(status))
      assert.match((JSON.parse(body) as { errcode: string }).errcode, /^M_/)
    }
    assert.ok(responses.length <= 1)
    assert.equal(server.seen.length, 0)
  })
}

test('100 pipelined requests are answered in order, however long each takes', async () => {
  await using server = await aServer({
    handle: async ({ path }) => {
      await new Promise((resolve) => void setTimeout(resolve, (Number(path.slice(1)) * 7919) % 30))
      return { status: 200, body: path }
    },
  })
  using raw = connectRaw(server.port)
  const paths = Array.from({ length: 100 }, (_, i) => `/${i}`)
  raw.send(paths.map((path) => `PUT ${path} HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}`).join(''))
  assert.deepEqual(
    (await raw.responses(100)).map(({ body }) => body),
    paths,
  )
})

test('garbage behind a request whose answer is due gets no answer in its place', async () => {
  const answer = Promise.withResolvers<void>()
  await using server = await aServer({
    handle: async () => {
      await answer.promise
      return { status: 200, body: '{"mine":true}' }
    },
  })
  using raw = connectRaw(server.port)
  raw.send('GET /a HTTP/1.1\r\nHost: h\r\n\r\nGARBAGE\r\n\r\n')
  await raw.closed
  answer.resolve()
  assert.deepEqual(await raw.responses(1), [])
})

test('the body of a GET is body, and the next request is the next request', async () => {
  await using server = await aServer()
  using raw = connectRaw(server.port)
  raw.send(
    `GET /a HTTP/1.1\r\nHost: h\r\nContent-Length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}GET /b HTTP/1.1\r\nHost: h\r\n\r\n`,
  )
  await raw.responses(2)
  assert.deepEqual(server.seen.map(({ path }) => path).sort(), ['/a', '/b'])
})

test('the body of an OPTIONS request is no request', async () => {
  await using server = await aServer()
  using raw = connectRaw(server.port)
  raw.send(`OPTIONS /a HTTP/1.1\r\nHost: h\r\nContent-Length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`)
  raw.send('GET /b HTTP/1.1\r\nHost: h\r\n\r\n')
  await raw.responses(2)
  assert.deepEqual(
    server.seen.map(({ path }) => path),
    ['/b'],
  )
})

test('chunk extensions and trailers are read over', async () => {
  await using server = await aServer()
  using raw = connectRaw(server.port)
  raw.send('POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\n{}\r\n0\r\nX-Role: admin\r\n\r\n')
  assert.equal((await raw.responses(1))[0]!.status, 200)
  assert.equal(Buffer.from(server.seen[0]!.body).toString(), '{}')
  assert.equal(server.seen[0]!.headers['x-role'], undefined)
})

test('a header called __proto__ is a header like any other', async () => {
  await using server = await aServer()
  using raw = connectRaw(server.port)
  raw.send('GET /a HTTP/1.1\r\nHost: h\r\n__proto__: x\r\nconstructor: y\r\n\r\n')
  assert.equal((await raw.responses(1))[0]!.status, 200)
  assert.equal(server.seen[0]!.headers['toString' as string] === 'x', false)
  assert.equal(({} as Record<string, unknown>)['x'], undefined)
})
