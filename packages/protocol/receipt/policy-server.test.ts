import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { aRoom } from '../event/testing/a-room.ts'
import { parsePdu } from '../event/format.ts'
import type { ParsedPdu } from '../event/format.ts'
import { signBuiltEvent } from '../event/sign.ts'
import type { ServerName } from '../ids/brand.ts'
import type { JsonObject, JsonValue } from '../json/value.ts'
import { withSignature } from '../signing/sign-json.ts'
import { createSigningKey } from '../signing/signing-key.ts'
import { isSignedByPolicyServer, needsPolicySignature, policyServerOf, policySignatureIn } from './policy-server.ts'

const policyKey = createSigningKey({ keyId: 'ed25519:p', seed: new Uint8Array(32).fill(5) })
const ownKey = createSigningKey({ keyId: 'ed25519:1', seed: new Uint8Array(32).fill(1) })
const POLICY = { via: 'policy.example.org', public_keys: { ed25519: policyKey.publicKey } }

const room = aRoom({ version: '12' })
const withPolicy = (content: JsonObject) => room.with(room.stateEvent('@ann:a', 'm.room.policy', '', content))
const joined = (server: string) => (asked: ServerName) => asked === server

describe('the policy server of a room', () => {
  test('is the one that the room names, while it has a member there', () => {
    const found = policyServerOf(withPolicy(POLICY).state, joined('policy.example.org'))
    assert.equal(found!.server, 'policy.example.org')
    assert.equal(found!.key!.publicKey, policyKey.publicKey)
    assert.equal(policyServerOf(withPolicy(POLICY).state, joined('other')), undefined)
    assert.equal(policyServerOf(room.state, joined('policy.example.org')), undefined)
  })

  test('is none where the event has no server or no key in it', () => {
    for (const change of [
      { via: 5 },
      { via: '' },
      { via: 'a/b' },
      { public_keys: null },
      { public_keys: [] },
      { public_keys: {} },
      { public_keys: { ed25519: 5 } },
    ] as JsonObject[]) {
      assert.equal(
        policyServerOf(withPolicy({ ...POLICY, ...change }).state, () => true),
        undefined,
        JSON.stringify(change),
      )
    }
  })

  test('need not allow the event that names it, and must allow all others', () => {
    assert.equal(needsPolicySignature({ type: 'm.room.policy', stateKey: '' }), false)
    assert.equal(needsPolicySignature({ type: 'm.room.policy', stateKey: 'x' }), true)
    assert.equal(needsPolicySignature({ type: 'm.room.policy', stateKey: undefined }), true)
    assert.equal(needsPolicySignature({ type: 'm.room.member', stateKey: '' }), true)
  })
})

describe('the signature of a policy server', () => {
  // The server of the sender is itself the policy server, with another key.
  const policy = policyServerOf(withPolicy({ ...POLICY, via: 'a' }).state, () => true)!
  const event = JSON.parse(
    signBuiltEvent(
      room.build({ sender: '@ann:a', type: 'm.room.message', content: { body: 'x' } }),
      policy.server,
      ownKey,
    ),
  ) as JsonObject
  const read = (value: JsonObject): ParsedPdu => {
    const parsed = parsePdu(value, room.rules)
    assert.ok(parsed.ok)
    return parsed
  }
  const parsed = read(event)
  const signature = policyKey.sign(parsed.signable)

  test('stands beside those of servers, also of the same name', () => {
    assert.equal(isSignedByPolicyServer(parsed, policy), false)
    const added = policySignatureIn({ a: { 'ed25519:policy_server': signature, 'ed25519:1': 'evil' } }, policy, parsed)
    const both = read(withSignature(event, { signer: 'a', keyId: 'ed25519:policy_server', signature: added! }))
    assert.equal(isSignedByPolicyServer(both, policy), true)
    assert.deepEqual(Object.keys(both.signatures['a']!).sort(), ['ed25519:1', 'ed25519:policy_server'])
    assert.equal(both.signatures['a']!['ed25519:1'], parsed.signatures['a']!['ed25519:1'])
    assert.equal(both.pdu.eventId, parsed.pdu.eventId)
  })

  test('holds only under its name, with the key of the room, over this event', () => {
    const other = ownKey.sign(parsed.signable)
    for (const answer of [
      null,
      [],
      {},
      { a: null },
      { a: { 'ed25519:policy_server': 5 } },
      { a: { 'ed25519:p': signature } },
      { b: { 'ed25519:policy_server': signature } },
      { a: { 'ed25519:policy_server': other } },
      { a: { 'ed25519:policy_server': policyKey.sign('something else') } },
    ] as JsonValue[]) {
      assert.equal(policySignatureIn(answer, policy, parsed), undefined, JSON.stringify(answer))
    }
    const wrong = read(withSignature(event, { signer: 'a', keyId: 'ed25519:policy_server', signature: other }))
    assert.equal(isSignedByPolicyServer(wrong, policy), false)
  })

  test('never holds where the room names something that is no key', () => {
    const broken = policyServerOf(withPolicy({ via: 'a', public_keys: { ed25519: 'x' } }).state, () => true)!
    assert.equal(broken.key, undefined)
    const signed = read(withSignature(event, { signer: 'a', keyId: 'ed25519:policy_server', signature }))
    assert.equal(isSignedByPolicyServer(signed, broken), false)
    assert.equal(policySignatureIn({ a: { 'ed25519:policy_server': signature } }, broken, parsed), undefined)
  })
})
