import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { ServerName } from '../ids/brand.ts'
import type { JsonObject } from '../json/value.ts'
import { ROOM_VERSIONS, rulesFor } from '../room-version/rules.ts'
import { decodeBase64Tolerant } from '../signing/base64.ts'
import { createSigningKey } from '../signing/signing-key.ts'
import { parseVerifyKey } from '../signing/verify-key.ts'
import { contentHash } from './hash.ts'
import { requiredSigners, signBuiltEvent, signEventJson, verifyEventSignature } from './sign.ts'
import { aRoom } from './testing/a-room.ts'

// <https://spec.matrix.org/v1.19/appendices/#event-signing>
const seed = decodeBase64Tolerant('YJDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA1')!
const key = createSigningKey({ keyId: 'ed25519:1', seed })
const otherKey = createSigningKey({ keyId: 'ed25519:1', seed: new Uint8Array(32) })
const domain = 'domain' as ServerName
const keyOf = (keyId: string) => (keyId === 'ed25519:1' ? parseVerifyKey(key.publicKey) : undefined)

const MINIMAL: JsonObject = {
  room_id: '!x:domain',
  sender: '@a:domain',
  origin: 'domain',
  origin_server_ts: 1000000,
  signatures: {},
  hashes: {},
  type: 'X',
  content: {},
  prev_events: [],
  auth_events: [],
  depth: 3,
  unsigned: { age_ts: 1000000 },
}
const REDACTABLE: JsonObject = {
  content: { body: 'Here is the message content' },
  event_id: '$0:domain',
  origin: 'domain',
  origin_server_ts: 1000000,
  type: 'm.room.message',
  room_id: '!r:domain',
  sender: '@u:domain',
  signatures: {},
  unsigned: { age_ts: 1000000 },
}

/** Until version 11 redaction keeps `origin`, which the examples have. */
const VERSIONS_OF_EXAMPLES = ROOM_VERSIONS.filter((version) => rulesFor(version)!.redaction.topLevelKeys.has('origin'))

function signed(event: JsonObject, version: string): JsonObject {
  const rules = rulesFor(version)!
  const hashed = { ...event, hashes: { sha256: contentHash(event, rules) } }
  return JSON.parse(signEventJson(JSON.stringify(hashed), rules, domain, key)) as JsonObject
}

describe('signing an event', () => {
  test('gives the hash and the signature of the specification for its minimal event', () => {
    for (const version of VERSIONS_OF_EXAMPLES) {
      assert.deepEqual(signed(MINIMAL, version), {
        ...MINIMAL,
        hashes: { sha256: '5jM4wQpv6lnBo7CLIghJuHdW+s2CMBJPUOGOC89ncos' },
        signatures: {
          domain: {
            'ed25519:1': 'KxwGjPSDEtvnFgU00fwFz+l6d2pJM6XBIaMEn81SXPTRl16AqLAYqfIReFGZlHi5KLjAWbOoMszkwsQma+lYAg',
          },
        },
      })
    }
  })

  test('gives the hash and the signature of the specification for its event with redactable content', () => {
    for (const version of VERSIONS_OF_EXAMPLES) {
      assert.deepEqual(signed(REDACTABLE, version), {
        ...REDACTABLE,
        hashes: { sha256: 'onLKD1bGljeBWQhWZ1kaP9SorVmRQNdN5aM2JYU2n/g' },
        signatures: {
          domain: {
            'ed25519:1': 'Wm+VzmOUOz08Ds+0NTWb1d4CZrVsJSikkeRxh6aCcUwu6pNC78FunoD7KNWzqFn241eYHYMGCA5McEiVPdhzBA',
          },
        },
      })
    }
  })

  test('keeps the signatures of others and replaces none', () => {
    const first = signed(MINIMAL, '10')
    const second = JSON.parse(
      signEventJson(JSON.stringify(first), rulesFor('10')!, 'other:8448' as ServerName, otherKey),
    )
    assert.deepEqual(Object.keys(second.signatures), ['domain', 'other:8448'])
    assert.deepEqual(second.signatures.domain, (first['signatures'] as JsonObject)['domain'])
  })

  for (const version of ROOM_VERSIONS) {
    test(`that was just built gives the same text as any other way, in version ${version}`, () => {
      const room = aRoom({ version, creator: '@ann:domain' }).join('@bob:domain')
      for (const draft of [
        { sender: '@bob:domain', type: 'm.room.message', content: { body: 'hi', z: { b: 1, a: ',"type":"' } } },
        { sender: '@bob:domain', type: '"signatures":{},"type":', stateKey: ',"type":"m"', content: {} },
        { sender: '@ann:domain', type: 'm.room.power_levels', stateKey: '', content: { ban: 1, x: 2 } },
      ]) {
        const built = room.build(draft)
        const text = signBuiltEvent(built, domain, key)
        assert.equal(text, signEventJson(built.json, room.rules, domain, key))
        const verdict = verifyEventSignature(JSON.parse(text), room.rules, { signer: domain, keyOf })
        assert.deepEqual(verdict, { valid: true, keyIds: ['ed25519:1'] })
      }
    })
  }
})

describe('the signature on an event', () => {
  const rules = rulesFor('10')!
  const event = signed(REDACTABLE, '10')
  const verify = (changed: JsonObject, signer = 'domain') => verifyEventSignature(changed, rules, { signer, keyOf })

  test('holds when what redaction takes away was changed or removed', () => {
    assert.equal(verify(event).valid, true)
    assert.equal(verify({ ...event, content: { body: 'changed' }, unsigned: {}, extra: 1 }).valid, true)
  })

  test('does not hold when anything else was changed', () => {
    for (const change of [
      { sender: '@v:domain' },
      { hashes: { sha256: 'x' } },
      { type: 'X' },
      { depth: 1 },
      { state_key: '' },
    ]) {
      assert.deepEqual(verify({ ...event, ...change }), { valid: false, problem: 'bad-signature', keyId: 'ed25519:1' })
    }
  })

  test('is one of the right server with a known key', () => {
    assert.deepEqual(verify(event, 'other'), { valid: false, problem: 'not-signed' })
    const unknown = { ...event, signatures: { domain: { 'ed25519:2': 'AAAA' } } }
    assert.deepEqual(verify(unknown), { valid: false, problem: 'unknown-key' })
    assert.deepEqual(verify({ ...event, signatures: { domain: {} } }), { valid: false, problem: 'not-signed' })
  })

  test('may stand beside one of an unknown key, not beside a wrong one', () => {
    const own = (event['signatures'] as { domain: JsonObject }).domain
    assert.equal(verify({ ...event, signatures: { domain: { ...own, 'ed25519:2': 'AAAA' } } }).valid, true)
    const forged = { 'ed25519:1': otherKey.sign('x') }
    assert.equal(verify({ ...event, signatures: { domain: forged } }).valid, false)
  })
})

describe('the servers that must have signed', () => {
  test("are the sender's, and that in the event id in versions 1 and 2", () => {
    for (const version of ROOM_VERSIONS) {
      const room = aRoom({ version }).join('@bob:b')
      const event = room.message('@bob:b')
      assert.deepEqual(requiredSigners(room.rules, event), ['b'])
      const foreign = { ...event, eventId: '$x:elsewhere:8448' as typeof event.eventId }
      assert.deepEqual(
        requiredSigners(room.rules, foreign),
        room.rules.eventIdServerSigns ? ['b', 'elsewhere:8448'] : ['b'],
      )
    }
  })

  test("do not include the inviter's for a third-party invitation", () => {
    const room = aRoom({ version: '12' })
    const third = room.member('@ann:a', '@bob:b', 'invite', { third_party_invite: { signed: {} } })
    assert.deepEqual(requiredSigners(room.rules, third), [])
    assert.deepEqual(requiredSigners(room.rules, room.member('@ann:a', '@bob:b', 'invite')), ['a'])
    const join = room.member('@bob:b', '@bob:b', 'join', { third_party_invite: { signed: {} } })
    assert.deepEqual(requiredSigners(room.rules, join), ['b'])
  })
})
