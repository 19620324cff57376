/** The redaction algorithm of each room version. <https://spec.matrix.org/v1.19/client-server-api/#redactions> */
import { emptyObject, isObject } from '../json/value.ts'
import type { JsonObject, JsonValue } from '../json/value.ts'
import type { RoomRules } from '../room-version/rules.ts'

/** The event without all that redaction takes away; `unsigned` goes, signatures stay. */
export function redactEvent(event: JsonObject, rules: RoomRules): JsonObject {
  const kept = emptyObject()
  for (const key of Object.keys(event)) {
    if (rules.redaction.topLevelKeys.has(key)) kept[key] = event[key] as JsonValue
  }
  const { type, content } = event
  if (typeof type === 'string')
    kept['content'] = redactContent(rules, type, isObject(content) ? content : emptyObject())
  return kept
}

export function redactContent(rules: RoomRules, type: string, content: JsonObject): JsonObject {
  const keys = rules.redaction.contentKeys.get(type)
  if (keys === 'all') return content
  const kept = emptyObject()
  if (keys === undefined) return kept
  for (const key of Object.keys(content)) if (keys.has(key)) kept[key] = content[key] as JsonValue
  if (type === 'm.room.member' && rules.redaction.keepsThirdPartyInviteSigned) keepSigned(content, kept)
  return kept
}

/** A third-party invitation keeps its `signed` part only. Where it has none, an empty object stays, as on other servers. */
function keepSigned(content: JsonObject, kept: { [key: string]: JsonValue }): void {
  const invite = Object.hasOwn(content, 'third_party_invite') ? content['third_party_invite'] : undefined
  if (!isObject(invite)) return
  const part = emptyObject()
  if (Object.hasOwn(invite, 'signed')) part['signed'] = invite['signed'] as JsonValue
  kept['third_party_invite'] = part
}
