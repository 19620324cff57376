import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { UserId } from '@holdfast/protocol/ids/brand'
import { startTestHomeserver } from '../testing/homeserver.ts'
import { deviceListUpdatesSince } from './device-list-updates.ts'
import { localDevices } from './local-keys.ts'
import { anotherDevice } from './testing/another-device.ts'
import { crossSigningOf, deviceKeysOf, plain } from './testing/device.ts'

test('other servers are told of each change in order, each naming the one before it', async () => {
  await using server = await startTestHomeserver({ settings: { deviceNamesToServers: true } })
  const ann = await server.user('ann')
  const start = server.parts.streams.position()
  const { keys } = deviceKeysOf(ann)
  await ann.ok('POST', '/keys/upload', { device_keys: keys })
  await ann.ok('PUT', `/devices/${ann.deviceId}`, { display_name: 'Phone' })
  const { body } = crossSigningOf(ann.userId)
  await ann.ok('POST', '/keys/device_signing/upload', body)
  const second = await anotherDevice(server, ann)
  await second.ok('POST', '/logout', {})
  const told = plain(await deviceListUpdatesSince(server.parts, { after: start, limit: 100 }))
  const [first] = await deviceListUpdatesSince(server.parts, { after: 0, limit: 1 })
  const content = { user_id: ann.userId, device_id: ann.deviceId, device_display_name: 'Phone', keys }
  const gone = { user_id: ann.userId, device_id: second.deviceId, deleted: true }
  const [a, b, c, d, e] = told.map(({ position }) => position)
  assert.deepEqual(
    told.map(({ edu }) => edu),
    [
      { edu_type: 'm.device_list_update', content: { ...content, stream_id: a, prev_id: [first!.position] } },
      { edu_type: 'm.device_list_update', content: { ...content, stream_id: b, prev_id: [a] } },
      {
        edu_type: 'm.signing_key_update',
        content: { user_id: ann.userId, master_key: body['master_key'], self_signing_key: body['self_signing_key'] },
      },
      { edu_type: 'm.device_list_update', content: { ...gone, stream_id: d, prev_id: [b] } },
      { edu_type: 'm.device_list_update', content: { ...gone, stream_id: e, prev_id: [d] } },
    ],
  )
  assert.ok(c! > b! && d! > c!)
  const page = await deviceListUpdatesSince(server.parts, { after: start, limit: 2 })
  assert.deepEqual(
    page.map(({ position }) => position),
    [a, b],
  )
  assert.deepEqual(await deviceListUpdatesSince(server.parts, { after: e!, limit: 2 }), [])
  assert.deepEqual(plain(await localDevices(server.parts, ann.userId as UserId)), {
    user_id: ann.userId,
    stream_id: e,
    devices: [{ device_id: ann.deviceId, device_display_name: 'Phone', keys }],
    master_key: body['master_key'],
    self_signing_key: body['self_signing_key'],
  })
  const nobody = '@nobody:example.org' as UserId
  assert.deepEqual(await localDevices(server.parts, nobody), { user_id: nobody, stream_id: 0, devices: [] })
})
