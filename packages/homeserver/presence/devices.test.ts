import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ABSENT_AFTER_MS, dropAbsent, IDLE_AFTER_MS, nextChangeMs, stateOf, type DevicePresence } from './devices.ts'

function device(part: Partial<DevicePresence>): DevicePresence {
  return { state: 'online', syncState: undefined, syncs: 0, seenMs: 0, ...part }
}

function user(activeMs: number, ...devices: DevicePresence[]) {
  return { activeMs, devices: new Map(devices.map((one, index) => [index, one])) }
}

test('a user is what the most present of the devices is that are there', () => {
  assert.equal(stateOf(user(0), 0), 'offline')
  assert.equal(stateOf(user(0, device({ state: 'unavailable' })), 0), 'unavailable')
  assert.equal(
    stateOf(user(0, device({ state: 'unavailable' }), device({}), device({ state: 'offline' })), 0),
    'online',
  )
  assert.equal(stateOf(user(0, device({ state: 'offline', syncs: 1 })), 0), 'offline')
})

test('a device that syncs is there; another for half a minute', () => {
  assert.equal(stateOf(user(0, device({})), ABSENT_AFTER_MS - 1), 'online')
  assert.equal(stateOf(user(0, device({})), ABSENT_AFTER_MS), 'offline')
  assert.equal(stateOf(user(0, device({ syncs: 1 })), ABSENT_AFTER_MS), 'online')
})

test('who does nothing for five minutes is unavailable', () => {
  const idle = user(0, device({ syncs: 1 }))
  assert.equal(stateOf(idle, IDLE_AFTER_MS - 1), 'online')
  assert.equal(stateOf(idle, IDLE_AFTER_MS), 'unavailable')
})

test('the next change is at the next moment at which anything can change', () => {
  assert.equal(nextChangeMs(user(0), 0), undefined)
  assert.equal(nextChangeMs(user(0, device({})), 10), ABSENT_AFTER_MS)
  assert.equal(nextChangeMs(user(0, device({ syncs: 1 })), 10), IDLE_AFTER_MS)
  assert.equal(nextChangeMs(user(0, device({ syncs: 1 })), IDLE_AFTER_MS), undefined)
  assert.equal(nextChangeMs(user(0, device({ state: 'unavailable', syncs: 1 })), 10), undefined)
})

test('devices that are gone are forgotten', () => {
  const devices = new Map([
    [1, device({})],
    [2, device({ syncs: 1 })],
  ])
  dropAbsent(devices, ABSENT_AFTER_MS)
  assert.deepEqual([...devices.keys()], [2])
})
