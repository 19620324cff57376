import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject, JsonValue } from '@holdfast/protocol/json/value'
import { deviceListUpdatesSince } from '../e2e-keys/device-list-updates.ts'
import { deviceKeysOf, oneTimeKeysOf } from '../e2e-keys/testing/device.ts'
import { aFarServer } from '../rooms/serve/testing/far-server.ts'
import { startTestHomeserver } from '../testing/homeserver.ts'

test('devices and keys of local users are told to other servers, and each one-time key once', async () => {
  await using homeserver = await startTestHomeserver({ settings: { deviceNamesToServers: true } })
  const ann = await homeserver.user('ann')
  const far = await aFarServer(homeserver)
  await ann.ok('PUT', `/devices/${ann.deviceId}`, { display_name: 'a phone' })
  const { keys } = deviceKeysOf(ann)
  await ann.ok('POST', '/keys/upload', { device_keys: keys, one_time_keys: oneTimeKeysOf(ann, ['A', 'B']) })

  const devices = await far.ok(`/user/devices/${ann.userId}`)
  assert.equal(devices.user_id, ann.userId)
  assert.deepEqual(devices.devices, [{ device_id: ann.deviceId, keys, device_display_name: 'a phone' }])

  const queried = await far.request('POST', '/user/keys/query', { device_keys: { [ann.userId]: [] } })
  assert.equal(queried.status, 200)
  const told = queried.body.device_keys[ann.userId][ann.deviceId]
  assert.deepEqual(told.keys, keys['keys'])
  assert.deepEqual(told.unsigned, { device_display_name: 'a phone' })

  const claim = { one_time_keys: { [ann.userId]: { [ann.deviceId]: 'signed_curve25519' } } }
  const names: string[] = []
  for (let round = 0; round < 3; round += 1) {
    const { status, body } = await far.request('POST', '/user/keys/claim', claim)
    assert.equal(status, 200)
    names.push(...Object.keys(body.one_time_keys[ann.userId]?.[ann.deviceId] ?? {}))
  }
  assert.deepEqual(names.sort(), ['signed_curve25519:A', 'signed_curve25519:B'])
})

test('[E2E17] without the setting other servers are not told the names of devices', async () => {
  await using homeserver = await startTestHomeserver()
  const ann = await homeserver.user('ann')
  const far = await aFarServer(homeserver)
  await ann.ok('PUT', `/devices/${ann.deviceId}`, { display_name: 'a phone' })
  const { keys } = deviceKeysOf(ann)
  await ann.ok('POST', '/keys/upload', { device_keys: keys })
  assert.deepEqual((await far.ok(`/user/devices/${ann.userId}`)).devices, [{ device_id: ann.deviceId, keys }])
  const query = { device_keys: { [ann.userId]: [] } }
  const { body } = await far.request('POST', '/user/keys/query', query)
  assert.deepEqual(body.device_keys[ann.userId][ann.deviceId].unsigned, {})
  const updates = await deviceListUpdatesSince(homeserver.parts, { after: 0, limit: 10 })
  assert.ok(updates.length > 0)
  assert.ok(!JSON.stringify(updates).includes('phone'))
  const own = await ann.ok('POST', '/keys/query', query)
  assert.deepEqual(own.device_keys[ann.userId][ann.deviceId].unsigned, { device_display_name: 'a phone' })
})

test('nothing is told about users of other servers, and users that do not exist have no devices', async () => {
  await using homeserver = await startTestHomeserver()
  const ann = await homeserver.user('ann')
  const far = await aFarServer(homeserver)
  const { room_id: room } = await ann.ok('POST', '/createRoom', { preset: 'public_chat' })
  await far.member(room, 'bob', 'join')
  for (const user of [far.user('bob'), '@nobody:elsewhere.example']) {
    const { status, body } = await far.get(`/user/devices/${user}`)
    assert.deepEqual([status, body.errcode], [400, 'M_INVALID_PARAM'])
    const queried = await far.request('POST', '/user/keys/query', { device_keys: { [user]: [] } })
    assert.deepEqual([queried.status, queried.body.device_keys], [200, {}])
    const claimed = await far.request('POST', '/user/keys/claim', { one_time_keys: { [user]: { X: 'a' } } })
    assert.deepEqual([claimed.status, claimed.body], [200, { one_time_keys: {} }])
  }
  const { devices } = await far.ok('/user/devices/@nobody:example.org')
  assert.deepEqual(devices, [])
})

test('who has nothing to show is told like somebody who does not exist', async () => {
  await using homeserver = await startTestHomeserver()
  const far = await aFarServer(homeserver)
  const ann = await homeserver.user('ann')
  await ann.ok('POST', '/keys/upload', { device_keys: deviceKeysOf(ann).keys })
  assert.ok((await far.ok(`/user/devices/${ann.userId}`)).stream_id > 0)
  await ann.ok('POST', '/logout', {})
  const answers = await Promise.all(['ann', 'nobody'].map((name) => far.ok(`/user/devices/@${name}:example.org`)))
  assert.deepEqual(
    answers.map(({ user_id: _userId, ...rest }) => rest),
    [
      { stream_id: 0, devices: [] },
      { stream_id: 0, devices: [] },
    ],
  )
})

test('malformed and oversized key requests are refused', async () => {
  await using homeserver = await startTestHomeserver()
  const far = await aFarServer(homeserver)
  const many = (value: JsonValue): JsonObject =>
    Object.fromEntries(Array.from({ length: 1_001 }, (_, index) => [`@u${index}:example.org`, value]))
  const bodies = [
    ['query', {}],
    ['query', { device_keys: [] }],
    ['query', { device_keys: { nobody: [] } }],
    ['query', { device_keys: { '@a:example.org': 'x' } }],
    ['query', { device_keys: { '@a:example.org': [1] } }],
    ['query', { device_keys: many([]) }],
    ['claim', {}],
    ['claim', { one_time_keys: { '@a:example.org': [] } }],
    ['claim', { one_time_keys: { '@a:example.org': { X: null } } }],
    [
      'claim',
      { one_time_keys: many(Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`D${index}`, 'a']))) },
    ],
  ] as const satisfies readonly (readonly [string, JsonValue])[]
  for (const [name, body] of bodies) {
    const { status } = await far.request('POST', `/user/keys/${name}`, body)
    assert.equal(status, 400, `${name} ${JSON.stringify(body).slice(0, 80)}`)
  }
})
