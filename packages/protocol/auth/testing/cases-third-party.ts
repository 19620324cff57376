/** Cases for the rules on third-party invitations. */
import { aRoom } from '../../event/testing/a-room.ts'
import type { TestRoom } from '../../event/testing/a-room.ts'
import type { Pdu } from '../../event/pdu.ts'
import type { JsonObject, JsonValue } from '../../json/value.ts'
import type { RoomVersion } from '../../room-version/rules.ts'
import { signJson } from '../../signing/sign-json.ts'
import { createSigningKey } from '../../signing/signing-key.ts'
import type { AuthRule } from '../auth-rules.ts'
import { levelledRoom } from './rule-case.ts'
import type { RuleCase } from './rule-case.ts'

const serviceKey = createSigningKey({ keyId: 'ed25519:0', seed: new Uint8Array(32).fill(1) })
const ephemeralKey = createSigningKey({ keyId: 'ed25519:e', seed: new Uint8Array(32).fill(2) })
const strangerKey = createSigningKey({ keyId: 'ed25519:0', seed: new Uint8Array(32).fill(3) })

const TOKEN = 'the-token'

/** What the identity service signs for the invited user. */
export function signedFor(mxid: string, { token = TOKEN, key = serviceKey } = {}): JsonObject {
  return signJson({ mxid, token, sender: '@ann:a' }, { signer: 'vector.im', key })
}

export function invitation(keys: JsonObject = { public_key: serviceKey.publicKey }): JsonObject {
  return { display_name: 'b...@example.org', key_validity_url: 'https://id.example/valid', ...keys }
}

function invitedRoom(version: RoomVersion, content: JsonObject = invitation()): TestRoom {
  const room = aRoom({ version })
  return room.send(room.stateEvent('@ann:a', 'm.room.third_party_invite', TOKEN, content))
}

function invite(room: TestRoom, thirdParty: JsonValue): Pdu {
  return room.member('@ann:a', '@bob:b', 'invite', { third_party_invite: thirdParty })
}

function signedCase(rule: AuthRule, broken: string, thirdParty: JsonValue): RuleCase {
  return {
    rule,
    broken,
    verdicts(version) {
      const room = invitedRoom(version)
      const valid = invite(room, { display_name: 'Bob', signed: signedFor('@bob:b') })
      return { valid: room.verdict(valid), broken: room.verdict(invite(room, thirdParty)) }
    },
  }
}

function roomCase(rule: AuthRule, broken: string, change: (room: TestRoom) => TestRoom): RuleCase {
  return {
    rule,
    broken,
    verdicts(version) {
      const room = invitedRoom(version)
      const other = change(room)
      const signed = signedFor('@bob:b')
      return { valid: room.verdict(invite(room, { signed })), broken: other.verdict(invite(other, { signed })) }
    },
  }
}

const { mxid: _mxid, ...withoutMxid } = signedFor('@bob:b')
const { token: _token, ...withoutToken } = signedFor('@bob:b')
const { signatures: _signatures, ...withoutSignatures } = signedFor('@bob:b')
const otherKeyId = { signatures: { 'vector.im': { 'rsa:0': 'AAAA' } } }

export const THIRD_PARTY_CASES: readonly RuleCase[] = [
  roomCase('third-party-invite-banned', 'the user is banned', (room) => room.put('@bob:b', 'ban')),
  ...[{}, { signed: null }, { signed: 'x' }, { signed: [] }, null, 'x'].map((thirdParty) =>
    signedCase('third-party-invite-unsigned', `it is ${JSON.stringify(thirdParty)}`, thirdParty),
  ),
  signedCase('third-party-invite-malformed', 'the mxid is missing', { signed: withoutMxid }),
  signedCase('third-party-invite-malformed', 'the token is missing', { signed: withoutToken }),
  signedCase('third-party-invite-for-other-user', 'the mxid is another user', { signed: signedFor('@cat:c') }),
  signedCase('third-party-invite-unknown', 'the room has no such token', {
    signed: signedFor('@bob:b', { token: 'x' }),
  }),
  signedCase('third-party-invite-unknown', 'the token is not a string', {
    signed: { ...signedFor('@bob:b'), token: 5 },
  }),
  roomCase('third-party-invite-by-other-user', 'another member made it', (room) => {
    const other = room.join('@cat:c')
    return other.with(other.stateEvent('@cat:c', 'm.room.third_party_invite', TOKEN, invitation()))
  }),
  signedCase('third-party-invite-signature', 'it is signed by another key', {
    signed: signedFor('@bob:b', { key: strangerKey }),
  }),
  signedCase('third-party-invite-signature', 'it is not signed', { signed: withoutSignatures }),
  signedCase('third-party-invite-signature', 'it was changed after signing', {
    signed: { ...signedFor('@bob:b'), sender: '@eve:e' },
  }),
  signedCase('third-party-invite-signature', 'the algorithm is unknown', {
    signed: { ...withoutSignatures, ...otherKeyId },
  }),
  roomCase('third-party-invite-signature', 'the invitation was revoked', (room) =>
    room.with(room.stateEvent('@ann:a', 'm.room.third_party_invite', TOKEN, {})),
  ),
  roomCase('third-party-invite-signature', 'the key is malformed', (room) =>
    room.with(
      room.stateEvent('@ann:a', 'm.room.third_party_invite', TOKEN, { public_key: 'x', public_keys: [1, {}, null] }),
    ),
  ),
  {
    rule: 'third-party-invite-signature',
    broken: 'it holds a fraction, for which there is no text to sign',
    verdicts(version) {
      const room = invitedRoom(version)
      const valid = invite(room, { signed: signedFor('@bob:b') })
      const signed = { ...signedFor('@bob:b'), more: 0.5 }
      const broken = { ...valid, content: { membership: 'invite', third_party_invite: { signed } } }
      return { valid: room.verdict(valid), broken: room.verdict(broken) }
    },
  },
  {
    rule: 'third-party-invite-signature',
    broken: 'it is signed by none of several keys',
    verdicts(version) {
      const room = invitedRoom(version, {
        public_key: serviceKey.publicKey,
        public_keys: [{ public_key: serviceKey.publicKey }, { public_key: ephemeralKey.publicKey }],
      })
      return {
        valid: room.verdict(invite(room, { signed: signedFor('@bob:b', { key: ephemeralKey }) })),
        broken: room.verdict(invite(room, { signed: signedFor('@bob:b', { key: strangerKey }) })),
      }
    },
  },
  {
    rule: 'third-party-invite-power-too-low',
    broken: 'inviting needs more',
    verdicts(version) {
      const verdictAt = (level: number) => {
        const room = levelledRoom(version, { invite: level, state_default: 100 })
        return room.verdict(room.stateEvent('@bob:b', 'm.room.third_party_invite', TOKEN, invitation()))
      }
      return { valid: verdictAt(50), broken: verdictAt(51) }
    },
  },
]
