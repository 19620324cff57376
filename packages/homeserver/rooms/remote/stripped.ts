/** Stripped state as other servers send it, reduced to what a client may be given. <https://spec.matrix.org/v1.19/client-server-api/#stripped-state> */
import { isObject, type JsonValue } from '@holdfast/protocol/json/value'

/** What tells a user about a room before they are in it. */
export const STRIPPED_TYPES = [
  'm.room.create',
  'm.room.name',
  'm.room.avatar',
  'm.room.topic',
  'm.room.join_rules',
  'm.room.canonical_alias',
  'm.room.encryption',
]

const EVENTS_MAX = 50
const EVENT_BYTES_MAX = 65_536

/** The texts of those entries that are state events, with the four members that clients know. */
export function strippedTexts(value: JsonValue | undefined): readonly string[] {
  if (!Array.isArray(value)) return []
  return (value as readonly JsonValue[]).slice(0, EVENTS_MAX).flatMap((event) => {
    if (!isObject(event)) return []
    const { content, sender, state_key: stateKey, type } = event
    if (!isObject(content) || typeof sender !== 'string' || typeof stateKey !== 'string' || typeof type !== 'string')
      return []
    const text = JSON.stringify({ content, sender, state_key: stateKey, type })
    return text.length > EVENT_BYTES_MAX ? [] : [text]
  })
}
