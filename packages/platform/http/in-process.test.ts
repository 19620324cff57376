import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createManualClock } from '../clock/manual-clock.ts'
import type { HttpClient, OutgoingRequest } from './client.ts'
import { withInProcess } from './in-process.ts'
import type { HttpRequest, HttpResponse } from './service.ts'

const NETWORK: HttpClient = {
  send: async () => ({ status: 299, headers: {}, body: new Uint8Array(0) }),
  [Symbol.asyncDispose]: async () => {},
}

function aClient(handle: (request: HttpRequest) => Promise<HttpResponse>) {
  const clock = createManualClock()
  const origins = new Map([['https://id.example', { handle }]])
  const client = withInProcess(NETWORK, origins, { clock, requestIdPrefix: 'inner' })
  const send = (url: string, more: Partial<OutgoingRequest> = {}) =>
    client.send({ method: 'POST', url, deadlineMs: 1000, responseBytesMax: 100, ...more })
  return { clock, send }
}

test('a known origin is answered by its service, as it would be over a socket', async () => {
  let seen: HttpRequest | undefined
  const { send } = aClient(async (request) => {
    seen = request
    return { status: 201, headers: { 'X-A': 'b' }, body: '{"ü":1}' }
  })
  const response = await send('https://id.example:443/a/../b?c', { headers: { 'X-B': 'c' }, body: '{}' })
  assert.deepEqual(response.headers, { 'content-type': 'application/json', 'x-a': 'b' })
  assert.equal(Buffer.from(response.body).toString(), '{"ü":1}')
  assert.deepEqual([seen!.method, seen!.target, seen!.query, seen!.headers['x-b']], ['POST', '/a/../b?c', 'c', 'c'])
  assert.equal(Buffer.from(seen!.body).toString(), '{}')
})

test('every other origin goes to the network', async () => {
  const { send } = aClient(async () => ({ status: 200 }))
  for (const url of ['http://id.example/', 'https://id.example:8443/', 'https://x.id.example/']) {
    assert.equal((await send(url)).status, 299, url)
  }
})

test('deadline, size and giving up hold here, too', async () => {
  let signal: AbortSignal | undefined
  const { send, clock } = aClient((request) => {
    signal = request.signal
    return new Promise(() => {})
  })
  const late = assert.rejects(send('https://id.example/'), { failure: 'timeout' })
  await clock.advance(1000)
  await late
  assert.equal(signal!.aborted, true)
  const controller = new AbortController()
  const given = assert.rejects(send('https://id.example/', { signal: controller.signal }), { failure: 'aborted' })
  controller.abort()
  await given
  assert.equal(clock.pending, 0)
  const large = aClient(async () => ({ status: 200, body: 'x'.repeat(101) }))
  await assert.rejects(large.send('https://id.example/'), { failure: 'too-large' })
})

test('a service that fails is a peer that fails', async () => {
  const { send } = aClient(async () => Promise.reject(new Error('broken')))
  await assert.rejects(send('https://id.example/'), { failure: 'bad-response' })
})
