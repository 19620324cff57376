import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { startTestHomeserver } from '../testing/homeserver.ts'

const server = await startTestHomeserver()
after(() => server[Symbol.asyncDispose]())

test('clients of 2018 reach devices and to-device messages by the unstable prefix', async () => {
  const ann = await server.user('ann')
  const unstable = (method: string, path: string, body?: unknown) =>
    ann.request(method, `/_matrix/client/unstable${path}`, body)
  const { status, body } = await unstable('GET', '/devices')
  assert.equal(status, 200)
  assert.deepEqual(
    body.devices.map(({ device_id: id }: { device_id: string }) => id),
    [ann.deviceId],
  )
  const messages = { [ann.userId]: { [ann.deviceId]: { text: 'psst' } } }
  assert.equal((await unstable('PUT', '/sendToDevice/org.example.note/1', { messages })).status, 200)
  const sync = await ann.ok('GET', '/sync')
  assert.deepEqual(sync.to_device.events[0].content, { text: 'psst' })
})

test('clients of 2020 reach cross-signing by the unstable prefix', async () => {
  const cyd = await server.user('cyd')
  for (const path of ['/keys/device_signing/upload', '/keys/signatures/upload']) {
    const { status } = await cyd.request('POST', `/_matrix/client/unstable${path}`, {})
    assert.notEqual(status, 404, path)
  }
})

test('nothing else is served there', async () => {
  const bob = await server.user('bob')
  const { status, body } = await bob.request('GET', '/_matrix/client/unstable/joined_rooms')
  assert.deepEqual([status, body.errcode], [404, 'M_UNRECOGNIZED'])
})
