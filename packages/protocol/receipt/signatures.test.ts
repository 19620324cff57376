import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { ServerName } from '../ids/brand.ts'
import type { JsonObject } from '../json/value.ts'
import { ROOM_VERSIONS } from '../room-version/rules.ts'
import { signatureHolds } from '../signing/sign-json.ts'
import { createSigningKey } from '../signing/signing-key.ts'
import { parseVerifyKey } from '../signing/verify-key.ts'
import { parsePdu } from '../event/format.ts'
import type { ParsedPdu } from '../event/format.ts'
import { signBuiltEvent } from '../event/sign.ts'
import { judgeSignatures, signaturesToCheck } from './signatures.ts'
import type { ClaimOutcome } from './signatures.ts'
import { aRoom } from '../event/testing/a-room.ts'
import type { TestDraft, TestRoom } from '../event/testing/a-room.ts'

const key = createSigningKey({ keyId: 'ed25519:1', seed: new Uint8Array(32).fill(1) })
const verifyKey = parseVerifyKey(key.publicKey)!

/** As another server would send it, with more signatures. */
function received(room: TestRoom, draft: TestDraft, more: JsonObject = {}): ParsedPdu {
  const server = draft.sender.slice(draft.sender.indexOf(':') + 1) as ServerName
  const event = JSON.parse(signBuiltEvent(room.build(draft), server, key)) as JsonObject
  const parsed = parsePdu({ ...event, signatures: { ...(event['signatures'] as JsonObject), ...more } }, room.rules)
  assert.ok(parsed.ok)
  return parsed
}

for (const version of ROOM_VERSIONS) {
  const room = aRoom({ version }).join('@bob:b:8448')
  const draft: TestDraft = { sender: '@bob:b:8448', type: 'm.room.message', content: { body: 'hi' } }
  describe(`the signatures on an event of version ${version}`, () => {
    test('are not what it says as a policy server', () => {
      const policy = { 'b:8448': { 'ed25519:policy_server': 'x' } }
      assert.deepEqual(signaturesToCheck(room.rules, received(room, draft, policy)).claims, [])
    })

    test('that count are those of the server of its sender', () => {
      const demands = signaturesToCheck(room.rules, received(room, draft, { other: { 'ed25519:1': 'x' } }))
      assert.deepEqual([demands.required, demands.wanted], [['b:8448'], []])
      const [claim, ...none] = demands.claims
      assert.deepEqual([claim!.server, claim!.keyId, none], ['b:8448', 'ed25519:1', []])
      assert.equal(signatureHolds(verifyKey, demands.text, claim!.signature), true)
    })

    test('of other algorithms are not looked at', () => {
      const parsed = received(room, draft, { 'b:8448': { 'dilithium:1': 'x', nonsense: 'y', 'ed25519:2': 'z' } })
      const { claims } = signaturesToCheck(room.rules, parsed)
      assert.deepEqual(claims, [{ server: 'b:8448', keyId: 'ed25519:2', signature: 'z' }])
    })

    test('of an event that lost its content for a wrong hash are still those of its sender, also for an invitation', () => {
      const invite: TestDraft = {
        sender: '@ann:a',
        type: 'm.room.member',
        stateKey: '@cat:c',
        content: { membership: 'invite', third_party_invite: { display_name: 'c' } },
      }
      const whole = received(room, invite)
      const ofEventId = room.rules.eventIdServerSigns ? ['a'] : []
      assert.deepEqual(signaturesToCheck(room.rules, whole).required, ofEventId)
      const event = { ...(JSON.parse(whole.json) as JsonObject), hashes: { sha256: 'x' } }
      const redacted = parsePdu(event, room.rules)
      assert.ok(redacted.ok && !redacted.hashMatches)
      const keeps = Object.hasOwn(redacted.pdu.content, 'third_party_invite')
      assert.deepEqual(signaturesToCheck(room.rules, redacted).required, keeps ? ofEventId : ['a'])
    })

    if (room.rules.restrictedJoins) {
      test('on a join that somebody authorised are wanted of that server, too', () => {
        const join = (authoriser: unknown): TestDraft => ({
          sender: '@cat:c',
          type: 'm.room.member',
          stateKey: '@cat:c',
          content: { membership: 'join', join_authorised_via_users_server: authoriser as string },
        })
        const signed = received(room, join('@ann:a'), { a: { 'ed25519:1': 'x' } })
        const demands = signaturesToCheck(room.rules, signed)
        assert.deepEqual([demands.required, demands.wanted], [['c'], ['a']])
        assert.deepEqual(
          demands.claims.map(({ server }) => server),
          ['c', 'a'],
        )
        assert.deepEqual(signaturesToCheck(room.rules, received(room, join('@dan:c'))).wanted, [])
        assert.deepEqual(signaturesToCheck(room.rules, received(room, join(5))).wanted, [])
      })
    }
  })
}

describe('a verdict on signatures', () => {
  const demands = {
    text: '',
    required: ['a', 'b'] as ServerName[],
    wanted: ['c'] as ServerName[],
    claims: ['a 1', 'a 2', 'b 1', 'c 1'].map((text) => {
      const [server, keyId] = text.split(' ') as [ServerName, string]
      return { server, keyId, signature: text }
    }),
  }
  const judge = (outcomes: Readonly<Record<string, ClaimOutcome>>) =>
    judgeSignatures(demands, ({ signature }) => outcomes[signature] ?? 'unknown-key')

  test('needs one key of each required server', () => {
    const verdict = judge({ 'a 1': 'holds', 'b 1': 'holds' })
    assert.ok(verdict.ok)
    assert.deepEqual([...verdict.signedBy], ['a', 'b'])
    const without = judge({ 'a 1': 'holds', 'a 2': 'holds', 'c 1': 'holds' })
    assert.deepEqual(without.ok ? {} : [without.problem, without.server], ['unknown-key', 'b'])
    const unsigned = judgeSignatures({ ...demands, claims: demands.claims.slice(0, 2) }, () => 'holds')
    assert.deepEqual(unsigned.ok ? {} : [unsigned.problem, unsigned.server], ['not-signed', 'b'])
  })

  test('suffers no wrong signature by a known key', () => {
    const verdict = judge({ 'a 1': 'holds', 'a 2': 'does-not-hold', 'b 1': 'holds' })
    assert.deepEqual(verdict.ok ? {} : [verdict.problem, verdict.server], ['bad-signature', 'a'])
  })

  test('names a wanted server only if its signature holds, and drops nothing for it', () => {
    const both = { 'a 1': 'holds', 'b 1': 'holds' } as const
    for (const [outcome, names] of [
      ['holds', ['a', 'b', 'c']],
      ['does-not-hold', ['a', 'b']],
      ['unknown-key', ['a', 'b']],
    ] as const) {
      const verdict = judge({ ...both, 'c 1': outcome })
      assert.deepEqual(verdict.ok ? [...verdict.signedBy] : [], names)
    }
  })
})
