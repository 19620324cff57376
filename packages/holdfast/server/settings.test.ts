import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultConfig } from '@holdfast/platform/config/load'
import { rateLimits } from '@holdfast/platform/config/rate-limits'
import { BODY_BYTES_MAX, bodyLimit } from './body-limits.ts'
import { homeserverSettings } from './homeserver-settings.ts'

test('without settings there are limits, no terms, and registration needs a token', () => {
  const settings = homeserverSettings(defaultConfig())
  assert.equal(settings.registration, 'token')
  assert.equal(settings.registrationSharedSecret, undefined)
  assert.deepEqual(settings.terms, [])
  assert.deepEqual(settings.rateLimits?.message, { perSecond: 5, burst: 60 })
})

test('rate limits are off as a whole or by class', () => {
  const limitsOf = (raw: unknown) => {
    const parsed = rateLimits.parse(raw)
    assert.ok(parsed.ok)
    return homeserverSettings(defaultConfig({ rateLimits: parsed.value })).rateLimits!
  }
  assert.ok(Object.values(limitsOf('off')).every((limit) => limit === undefined))
  assert.equal(limitsOf({ message: 'off' }).message, undefined)
  assert.ok(limitsOf({ message: 'off' }).registration)
})

test('terms have a name and a version', () => {
  const { terms } = homeserverSettings(defaultConfig({ termsUrl: 'https://example.org/terms' }))
  assert.deepEqual(terms, [
    {
      id: 'terms',
      version: '1.0',
      translations: { en: { name: 'Terms of Service', url: 'https://example.org/terms' } },
    },
  ])
})

test('bodies are small except where much may be sent', () => {
  const limits: readonly (readonly [string, number])[] = [
    ['/_matrix/client/v3/rooms/!a:b/send/m.room.message/1', BODY_BYTES_MAX.usual],
    ['/_matrix/client/v3/user/@a:b/account_data/m.direct', BODY_BYTES_MAX.large],
    ['/_matrix/client/r0/user/@a:b/rooms/!a:b/account_data/x', BODY_BYTES_MAX.large],
    ['/_matrix/client/v3/keys/upload', BODY_BYTES_MAX.large],
    ['/_matrix/client/v3/sendToDevice/m.room.encrypted/1', BODY_BYTES_MAX.large],
    ['/_matrix/client/v3/rooms/!a:b/send/keys/upload', BODY_BYTES_MAX.usual],
    ['/_matrix/federation/v1/send/1', BODY_BYTES_MAX.federation],
    ['/_holdfast/first-run', BODY_BYTES_MAX.own],
    ['/', BODY_BYTES_MAX.usual],
  ]
  for (const [path, bytes] of limits) assert.equal(bodyLimit('PUT', path), bytes, path)
})
