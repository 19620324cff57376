import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultConfig } from '@holdfast/platform/config/load'
import { homeserverSettings } from './homeserver-settings.ts'

test('guests may register where anybody may, unless it is set otherwise', () => {
  const guests = (changes: Parameters<typeof defaultConfig>[0]) => homeserverSettings(defaultConfig(changes)).guests
  assert.equal(guests({}), false)
  assert.equal(guests({ registration: 'closed' }), false)
  assert.equal(guests({ registration: 'open' }), true)
  assert.equal(guests({ registration: 'open', guests: false }), false)
  assert.equal(guests({ registration: 'token', guests: true }), true)
})
