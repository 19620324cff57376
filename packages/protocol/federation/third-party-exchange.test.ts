import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { aRoom } from '../event/testing/a-room.ts'
import type { RoomId } from '../ids/brand.ts'
import type { JsonObject, JsonValue } from '../json/value.ts'
import { signJson } from '../signing/sign-json.ts'
import { createSigningKey } from '../signing/signing-key.ts'
import { parseThirdPartyExchange, thirdPartyInviteContent, thirdPartyKeyInUse } from './third-party-exchange.ts'

const longKey = createSigningKey({ keyId: 'ed25519:0', seed: new Uint8Array(32).fill(1) })
const ephemeralKey = createSigningKey({ keyId: 'ed25519:e', seed: new Uint8Array(32).fill(2) })
const room = '!abc123:matrix.org' as RoomId
const SIGNED = signJson({ mxid: '@bob:b', token: 'abc123', sender: '@ann:a' }, { signer: 'magic.forest', key: longKey })
const EVENT = {
  type: 'm.room.member',
  room_id: room,
  sender: '@ann:a',
  state_key: '@bob:b',
  content: { membership: 'invite', third_party_invite: { display_name: 'alice', signed: SIGNED } },
}
const INVITE = {
  display_name: 'a...@example.org',
  public_key: longKey.publicKey,
  key_validity_url: 'https://id.example/valid',
  public_keys: [
    { public_key: longKey.publicKey, key_validity_url: 'https://id.example/other' },
    { public_key: ephemeralKey.publicKey, key_validity_url: 'https://id.example/ephemeral' },
  ],
}

describe('the exchange of a third-party invitation', () => {
  test('is read for who invites whom, with which token', () => {
    const { ok, ...exchange } = parseThirdPartyExchange(EVENT, room) as { ok: boolean; signed: JsonObject }
    assert.equal(ok, true)
    assert.deepEqual(exchange, { sender: '@ann:a', target: '@bob:b', token: 'abc123', signed: SIGNED })
  })

  test('is one for the room of the request and for the user whom the identity service names', () => {
    const signed = (changed: JsonObject) => ({
      content: { membership: 'invite', third_party_invite: { display_name: 'x', signed: { ...SIGNED, ...changed } } },
    })
    const wrong: readonly JsonValue[] = [
      null,
      [],
      'x',
      {},
      { ...EVENT, type: 'm.room.create' },
      { ...EVENT, room_id: '!other:matrix.org' },
      { ...EVENT, sender: 'ann' },
      { ...EVENT, sender: ['@ann:a'] },
      { ...EVENT, state_key: '@cat:c' },
      { ...EVENT, state_key: '' },
      { ...EVENT, content: { ...EVENT.content, membership: 'join' } },
      { ...EVENT, content: { membership: 'invite' } },
      { ...EVENT, content: { membership: 'invite', third_party_invite: null } },
      { ...EVENT, content: null },
      { ...EVENT, ...signed({ mxid: '@cat:c' }) },
      { ...EVENT, ...signed({ token: 5 }) },
      { ...EVENT, ...signed({ more: 0.5 }) },
    ]
    for (const body of wrong) {
      const parsed = parseThirdPartyExchange(body, room)
      assert.equal(parsed.ok, false, JSON.stringify(body))
      if (!parsed.ok) assert.match(parsed.message, /\.$/)
    }
  })

  test('gives an invitation that holds nothing but what was signed and what the room knows', () => {
    assert.deepEqual(thirdPartyInviteContent(SIGNED, INVITE), {
      membership: 'invite',
      third_party_invite: { display_name: 'a...@example.org', signed: SIGNED },
    })
    assert.deepEqual(thirdPartyInviteContent(SIGNED, { display_name: 5 }), {
      membership: 'invite',
      third_party_invite: { signed: SIGNED },
    })
  })

  test('gives an invitation that the rules of the room allow', () => {
    const start = aRoom({ version: '10' })
    const invited = start.send(start.stateEvent('@ann:a', 'm.room.third_party_invite', 'abc123', INVITE))
    const content = thirdPartyInviteContent(SIGNED, INVITE)
    const event = invited.event({ sender: '@ann:a', type: 'm.room.member', stateKey: '@bob:b', content })
    assert.deepEqual(invited.verdict(event), { allowed: true })
  })
})

describe('the key of a third-party invitation', () => {
  test('is the one with which it was signed, with the address that knows whether it is still good', () => {
    assert.deepEqual(thirdPartyKeyInUse(SIGNED, INVITE), {
      publicKey: longKey.publicKey,
      validityUrl: 'https://id.example/valid',
    })
    const ephemeral = signJson({ mxid: '@bob:b', token: 'x' }, { signer: 'magic.forest', key: ephemeralKey })
    assert.equal(thirdPartyKeyInUse(ephemeral, INVITE)!.validityUrl, 'https://id.example/ephemeral')
    assert.deepEqual(thirdPartyKeyInUse(SIGNED, { public_key: longKey.publicKey, key_validity_url: 1 }), {
      publicKey: longKey.publicKey,
      validityUrl: undefined,
    })
  })

  test('is none where the invitation was revoked, changed or signed by somebody else', () => {
    for (const [signed, invite] of [
      [SIGNED, {}],
      [SIGNED, { public_key: ephemeralKey.publicKey, public_keys: [null, 1, {}, { public_key: 5 }] }],
      [SIGNED, { public_key: longKey.publicKey.slice(1) }],
      [{ ...SIGNED, token: 'other' }, INVITE],
      [{ ...SIGNED, more: 0.5 }, INVITE],
      [{ ...SIGNED, signatures: {} }, INVITE],
      [{ ...SIGNED, signatures: [] }, INVITE],
      [{ ...SIGNED, signatures: { 'magic.forest': { 'ed25519:0': 5 } } }, INVITE],
    ] as [JsonObject, JsonObject][]) {
      assert.equal(thirdPartyKeyInUse(signed, invite), undefined)
    }
  })
})
