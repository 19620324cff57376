import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startTestHomeserver, type TestHomeserver, type TestUser } from '../testing/homeserver.ts'
import { deviceKeysOf, oneTimeKeysOf } from './testing/device.ts'

let server: TestHomeserver
before(async () => {
  server = await startTestHomeserver()
})
after(() => server[Symbol.asyncDispose]())

let names = 0
async function aUser(): Promise<TestUser> {
  names += 1
  return server.user(`u${names}`)
}

test('device keys are given as they were uploaded, with the name of the device', async () => {
  const ann = await aUser()
  const bob = await aUser()
  const { keys } = deviceKeysOf(ann)
  await ann.ok('POST', '/keys/upload', { device_keys: keys })
  await ann.ok('PUT', `/devices/${ann.deviceId}`, { display_name: 'Phone' })
  const answer = await bob.ok('POST', '/keys/query', { device_keys: { [ann.userId]: [] } })
  assert.deepEqual(answer.device_keys, {
    [ann.userId]: { [ann.deviceId]: { ...keys, unsigned: { device_display_name: 'Phone' } } },
  })
  assert.deepEqual(answer.failures, {})
})
