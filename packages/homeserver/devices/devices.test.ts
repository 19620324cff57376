import assert from 'node:assert/strict'
import test from 'node:test'
import { createManualClock } from '@holdfast/platform/clock/manual-clock'
import { deleteLoginTokensBefore } from '../storage/tokens.ts'
import { startTestHomeserver, type TestHomeserver, type TestUser } from '../testing/homeserver.ts'

type Device = { device_id: string; display_name?: string; last_seen_ts?: number; last_seen_ip?: string }

function logIn(hs: TestHomeserver, more: object): Promise<{ access_token: string; device_id: string }> {
  return hs.ok('POST', '/login', { body: { type: 'm.login.password', user: 'ann', password: 'secret-ann', ...more } })
}

/** Commits are applied in order, so that those of the background are done when a later one is. */
async function settled(hs: TestHomeserver): Promise<void> {
  await hs.parts.db.commit([deleteLoginTokensBefore(0)])
}

const AUTH = { type: 'm.login.password', password: 'secret-ann' }

async function devices(ann: TestUser): Promise<readonly Device[]> {
  return (await ann.ok('GET', '/devices')).devices
}

test('devices are listed with name, time and address of their last request', async () => {
  const clock = createManualClock()
  await using hs = await startTestHomeserver({ clock })
  const ann = await hs.user('ann')
  const { access_token: token } = await logIn(hs, { device_id: 'PHONE', initial_device_display_name: 'My phone' })
  await hs.request('GET', '/account/whoami', { token, address: '192.0.2.7' })
  await settled(hs)
  const phone = (await devices(ann)).find((device) => device.device_id === 'PHONE')
  const seen = { last_seen_ts: clock.nowMs(), last_seen_ip: '192.0.2.7' }
  assert.deepEqual(phone, { device_id: 'PHONE', display_name: 'My phone', ...seen })
  assert.deepEqual(await ann.ok('GET', '/devices/PHONE'), phone)
})

test('[DEV1] when a device was seen is written once in two minutes', async () => {
  const clock = createManualClock()
  await using hs = await startTestHomeserver({ clock })
  const ann = await hs.user('ann')
  const seen = async (): Promise<number | undefined> => {
    await ann.ok('GET', '/account/whoami')
    await settled(hs)
    return (await devices(ann))[0]?.last_seen_ts
  }
  const first = clock.nowMs()
  assert.equal(await seen(), first)
  await clock.advance(119_999)
  assert.equal(await seen(), first)
  await clock.advance(1)
  assert.equal(await seen(), clock.nowMs())
})

test('a device is renamed, also to odd names, and not to long ones', async () => {
  await using hs = await startTestHomeserver()
  const ann = await hs.user('ann')
  const path = `/devices/${ann.deviceId}`
  for (const name of ['New name', '', 'a\0b', '\ufdd0', '\u{1f600}', '__proto__']) {
    await ann.ok('PUT', path, { display_name: name })
    assert.equal((await ann.ok('GET', path)).display_name, name)
  }
  await ann.ok('PUT', path, {})
  assert.equal((await ann.request('PUT', path, { display_name: 'x'.repeat(101) })).body.errcode, 'M_TOO_LARGE')
  assert.equal((await ann.request('PUT', path, { display_name: null })).body.errcode, 'M_BAD_JSON')
})

test('[DEV2] a name that a client proposes at login is cut to a hundred characters', async () => {
  await using hs = await startTestHomeserver()
  const ann = await hs.user('ann')
  await logIn(hs, { device_id: 'X', initial_device_display_name: `${'x'.repeat(99)}\u{1f600}` })
  assert.equal((await ann.ok('GET', '/devices/X')).display_name, 'x'.repeat(99))
})

test('unknown devices and those of others are 404', async () => {
  await using hs = await startTestHomeserver()
  const ann = await hs.user('ann')
  const bob = await hs.user('bob')
  for (const id of ['NONE', bob.deviceId, '%e2%82%ac']) {
    assert.equal((await ann.request('GET', `/devices/${id}`)).body.errcode, 'M_NOT_FOUND')
    assert.equal((await ann.request('PUT', `/devices/${id}`, { display_name: 'x' })).body.errcode, 'M_NOT_FOUND')
  }
  assert.equal((await ann.request('GET', '/devices/%00')).body.errcode, 'M_INVALID_PARAM')
})

test('a deleted device is out at once, and deleting it again is no error', async () => {
  await using hs = await startTestHomeserver()
  const ann = await hs.user('ann')
  const { access_token: token } = await logIn(hs, { device_id: 'PHONE' })
  await hs.ok('GET', '/account/whoami', { token })
  assert.equal((await ann.request('DELETE', '/devices/PHONE')).status, 401)
  await ann.ok('DELETE', '/devices/PHONE', { auth: AUTH })
  assert.equal((await hs.request('GET', '/account/whoami', { token })).status, 401)
  assert.equal((await ann.request('GET', '/devices/PHONE')).status, 404)
  await ann.ok('DELETE', '/devices/PHONE', { auth: AUTH })
})

test('several devices go at once, and never those of others', async () => {
  await using hs = await startTestHomeserver()
  const ann = await hs.user('ann')
  const bob = await hs.user('bob')
  await logIn(hs, { device_id: 'A' })
  await logIn(hs, { device_id: 'B' })
  await logIn(hs, { device_id: 'C' })
  const body = { devices: ['A', 'B', 'A', 'NONE', bob.deviceId, '\0', '__proto__'], auth: AUTH }
  await ann.ok('POST', '/delete_devices', body)
  assert.deepEqual((await devices(ann)).map((device) => device.device_id).toSorted(), ['C', ann.deviceId].toSorted())
  await bob.ok('GET', '/account/whoami')
  assert.equal((await ann.request('POST', '/delete_devices', { auth: AUTH })).body.errcode, 'M_MISSING_PARAM')
  assert.equal((await ann.request('POST', '/delete_devices', { devices: [1], auth: AUTH })).body.errcode, 'M_BAD_JSON')
  await ann.ok('POST', '/delete_devices', { devices: [], auth: AUTH })
})

test('a device may delete itself', async () => {
  await using hs = await startTestHomeserver()
  const ann = await hs.user('ann')
  await ann.ok('DELETE', `/devices/${ann.deviceId}`, { auth: AUTH })
  assert.equal((await ann.request('GET', '/account/whoami')).status, 401)
})

test('[DEV3] what a device sent before does not answer for a later device of the same id', async () => {
  await using hs = await startTestHomeserver()
  const ann = await hs.user('ann')
  const { room_id: roomId } = await ann.ok('POST', '/createRoom', {})
  const path = `/rooms/${encodeURIComponent(roomId)}/send/m.room.message/1`
  const send = async (token: string): Promise<string> =>
    (await hs.ok('PUT', path, { token, body: { msgtype: 'm.text', body: 'hi' } })).event_id
  const first = await logIn(hs, { device_id: 'PHONE' })
  const event = await send(first.access_token)
  assert.equal(await send(first.access_token), event)
  assert.notEqual(await send(ann.token), event)
  await hs.restart()
  assert.equal(await send(first.access_token), event)
  await hs.ok('POST', '/logout', { token: first.access_token })
  const second = await logIn(hs, { device_id: 'PHONE' })
  assert.notEqual(await send(second.access_token), event)
})
