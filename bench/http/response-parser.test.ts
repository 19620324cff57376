import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HttpSyntaxError, type ParsedResponse, ResponseParser } from './response-parser.ts'

const PLAIN = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{"a":"\u00e9b"}'
const CHUNKED =
  'HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n6\r\n world\r\n0\r\nX-T: 1\r\n\r\n'

function feed(parser: ResponseParser, bytes: Buffer, size: number): ParsedResponse[] {
  const found: ParsedResponse[] = []
  for (let at = 0; at < bytes.length; at += size) {
    const response = parser.push(bytes.subarray(at, at + size))
    if (response !== undefined) found.push(response)
  }
  return found
}

test('a response is the same however its bytes are cut into chunks', () => {
  for (const [text, status, body] of [
    [PLAIN, 200, '{"a":"\u00e9b"}'],
    [CHUNKED, 201, 'hello world'],
  ] as const) {
    const bytes = Buffer.from(text, 'utf8')
    for (let size = 1; size <= bytes.length; size += 1) {
      const parser = new ResponseParser()
      const responses = feed(parser, bytes, size)
      assert.equal(responses.length, 1, `chunks of ${size}`)
      assert.equal(responses[0]!.status, status)
      assert.equal(responses[0]!.body.toString('utf8'), body)
      assert.ok(responses[0]!.keepAlive)
      assert.ok(parser.idle)
    }
  }
})

test('a connection carries one response after another', () => {
  const parser = new ResponseParser()
  for (let round = 0; round < 3; round += 1) {
    assert.equal(parser.push(Buffer.from(PLAIN))?.status, 200)
    assert.equal(parser.push(Buffer.from(CHUNKED))?.status, 201)
  }
})

test('204 and 304 have no body, whatever their headers say', () => {
  for (const status of [204, 304]) {
    const response = new ResponseParser().push(Buffer.from(`HTTP/1.1 ${status} X\r\ncontent-length: 5\r\n\r\n`))
    assert.equal(response?.status, status)
    assert.equal(response?.body.length, 0)
  }
})

test('an interim response is passed over', () => {
  const parser = new ResponseParser()
  const response = parser.push(Buffer.from(`HTTP/1.1 100 Continue\r\n\r\n${PLAIN}`))
  assert.equal(response?.status, 200)
})

test('a body without a length ends with the connection', () => {
  const parser = new ResponseParser()
  assert.equal(parser.push(Buffer.from('HTTP/1.1 200 OK\r\n\r\nabc')), undefined)
  assert.equal(parser.push(Buffer.from('def')), undefined)
  const response = parser.end()
  assert.equal(response?.body.toString(), 'abcdef')
  assert.equal(response?.keepAlive, false)
})

test('the end of the connection does not complete a body that was cut off', () => {
  const parser = new ResponseParser()
  parser.push(Buffer.from(PLAIN).subarray(0, -3))
  assert.equal(parser.end(), undefined)
})

test('connection: close and HTTP/1.0 are not kept alive', () => {
  const closing = new ResponseParser().push(
    Buffer.from('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'),
  )
  const old = new ResponseParser().push(Buffer.from('HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n'))
  assert.equal(closing?.keepAlive, false)
  assert.equal(old?.keepAlive, false)
})

test('a head without a reason phrase is understood', () => {
  assert.equal(new ResponseParser().push(Buffer.from('HTTP/1.1 404\r\ncontent-length: 0\r\n\r\n'))?.status, 404)
})

test('malformed responses are refused', () => {
  const malformed = [
    'SSH-2.0-x\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 1e3\r\n\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabcd\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nmore',
    `HTTP/1.1 200 OK\r\nX: ${'y'.repeat(70_000)}`,
  ]
  for (const text of malformed) {
    assert.throws(() => new ResponseParser().push(Buffer.from(text)), HttpSyntaxError, text.slice(0, 80))
  }
})
