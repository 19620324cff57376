/**
 * Turning a third-party invitation into an invitation of a user, once an identity service vouches for that user.
 * <https://spec.matrix.org/v1.19/server-server-api/#third-party-invites>
 */
import { own } from '../auth/auth-state.ts'
import { signedPart } from '../auth/third-party-invite.ts'
import type { RoomId, UserId } from '../ids/brand.ts'
import { parseUserId } from '../ids/user-id.ts'
import { isCanonicalValue } from '../json/canonical.ts'
import { isObject, type JsonObject, type JsonValue } from '../json/value.ts'
import { signatureHolds, signedText } from '../signing/sign-json.ts'
import { parseVerifyKey } from '../signing/verify-key.ts'

export type ThirdPartyExchange = {
  readonly ok: true
  /** Who made the third-party invitation, as the other server says; the authorisation rules compare it with that event. */
  readonly sender: UserId
  /** Whom the identity service names. */
  readonly target: UserId
  /** The state key of the m.room.third_party_invite. */
  readonly token: string
  /** As the identity service signed it, with members that nobody but that service knows. */
  readonly signed: JsonObject
}

export type ThirdPartyExchangeProblem = { readonly ok: false; readonly message: string }

/** Reads the partial event of `exchange_third_party_invite`. Nothing of it but what is answered here goes into an event of ours. */
export function parseThirdPartyExchange(
  body: JsonValue,
  roomId: RoomId,
): ThirdPartyExchange | ThirdPartyExchangeProblem {
  if (!isObject(body)) return refuse('The body must be an event.')
  if (own(body, 'type') !== 'm.room.member') return refuse('type must be m.room.member.')
  if (own(body, 'room_id') !== roomId) return refuse('room_id must be the room of the request.')
  const content = own(body, 'content')
  if (!isObject(content) || own(content, 'membership') !== 'invite') return refuse('content.membership must be invite.')
  const sender = userIdIn(body, 'sender')
  const target = userIdIn(body, 'state_key')
  if (sender === undefined || target === undefined) return refuse('sender and state_key must be user IDs.')
  const signed = signedPart(content)
  if (signed === undefined || !isCanonicalValue(signed)) return refuse('third_party_invite.signed must be signed JSON.')
  const token = own(signed, 'token')
  if (typeof token !== 'string') return refuse('third_party_invite.signed.token must be a string.')
  if (own(signed, 'mxid') !== target) return refuse('third_party_invite.signed.mxid must be the user in state_key.')
  return { ok: true, sender, target, token, signed }
}

/** The content of the invitation. `invite` is the content of the m.room.third_party_invite, which knows how to call the user. */
export function thirdPartyInviteContent(signed: JsonObject, invite: JsonObject): JsonObject {
  const displayName = own(invite, 'display_name')
  const name = typeof displayName === 'string' ? { display_name: displayName } : {}
  return { membership: 'invite', third_party_invite: { ...name, signed } }
}

export type ThirdPartyKey = {
  /** As it stands in the event, to be asked about at `validityUrl`. */
  readonly publicKey: string
  /** undefined: the event names none, and the key cannot be revoked. */
  readonly validityUrl: string | undefined
}

const KEYS_MAX = 16
const SIGNATURES_MAX = 16

/**
 * The first key of the m.room.third_party_invite with which `signed` is signed; undefined if there is none. Who sends the
 * invitation must ask its validity URL whether it is still good; others must not, so that all see the same room.
 */
export function thirdPartyKeyInUse(signed: JsonObject, invite: JsonObject): ThirdPartyKey | undefined {
  if (!isCanonicalValue(signed)) return undefined
  const text = signedText(signed)
  const signatures = signaturesIn(signed)
  return keysIn(invite).find(({ publicKey }) => {
    const key = parseVerifyKey(publicKey)
    return key !== undefined && signatures.some((signature) => signatureHolds(key, text, signature))
  })
}

function keysIn(invite: JsonObject): ThirdPartyKey[] {
  const listed = own(invite, 'public_keys')
  const entries: readonly JsonValue[] = Array.isArray(listed) ? listed.slice(0, KEYS_MAX) : []
  return [invite, ...entries].flatMap((entry) => {
    const publicKey = isObject(entry) ? own(entry, 'public_key') : undefined
    const url = isObject(entry) ? own(entry, 'key_validity_url') : undefined
    if (typeof publicKey !== 'string') return []
    return [{ publicKey, validityUrl: typeof url === 'string' ? url : undefined }]
  })
}

function signaturesIn(signed: JsonObject): JsonValue[] {
  const byServer = own(signed, 'signatures')
  const ofServers = isObject(byServer) ? Object.values(byServer) : []
  return ofServers
    .flatMap((byKey) => (isObject(byKey) ? Object.entries(byKey) : []))
    .flatMap(([keyId, signature]) => (keyId.startsWith('ed25519:') ? [signature] : []))
    .slice(0, SIGNATURES_MAX)
}

function userIdIn(body: JsonObject, field: string): UserId | undefined {
  const raw = own(body, field)
  return typeof raw === 'string' ? parseUserId(raw) : undefined
}

function refuse(message: string): ThirdPartyExchangeProblem {
  return { ok: false, message }
}
