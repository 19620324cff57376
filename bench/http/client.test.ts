import assert from 'node:assert/strict'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createTcpServer, type AddressInfo } from 'node:net'
import { test } from 'node:test'
import { HttpClient, requestText } from './client.ts'

async function served(listener: RequestListener) {
  const sockets = new Set<unknown>()
  const server = createServer(listener).on('connection', (socket) => sockets.add(socket))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const client = new HttpClient(new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`))
  const dispose = () => {
    client.close()
    server.closeAllConnections()
    server.close()
  }
  return { client, sockets, [Symbol.dispose]: dispose }
}

test('requests one after another share a connection', async () => {
  using server = await served((request, response) => void response.end(request.url))
  for (let round = 0; round < 20; round += 1) {
    const response = await server.client.request({ method: 'GET', target: `/x?${round}` })
    assert.equal(response.body.toString(), `/x?${round}`)
  }
  assert.equal(server.sockets.size, 1)
})

test('requests at the same time have a connection each, and each its own answer', async () => {
  using server = await served((request, response) => {
    setTimeout(() => response.end(request.url), 20 - Number(request.url?.slice(1)))
  })
  const targets = Array.from({ length: 10 }, (_, index) => `/${index}`)
  const responses = await Promise.all(targets.map((target) => server.client.request({ method: 'GET', target })))
  assert.deepEqual(
    responses.map((response) => response.body.toString()),
    targets,
  )
  assert.equal(server.sockets.size, 10)
})

test('a body is sent with its length in bytes, and the token as a header', async () => {
  using server = await served((request, response) => {
    request.pipe(response.writeHead(201, { 'x-token': request.headers.authorization }))
  })
  const body = '{"body":"h\u00e9llo \u{1f600}"}'
  const response = await server.client.request({ method: 'PUT', target: '/', accessToken: 'T', body })
  assert.equal(response.status, 201)
  assert.equal(response.body.toString('utf8'), body)
  assert.match(requestText('h', { method: 'PUT', target: '/', accessToken: 'T', body }), /Authorization: Bearer T\r\n/)
})

test('a server that hangs up fails the request', async () => {
  const server = createTcpServer((socket) => socket.on('data', () => socket.destroy()))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const client = new HttpClient(new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`))
  await assert.rejects(client.request({ method: 'GET', target: '/' }))
  server.close()
})
