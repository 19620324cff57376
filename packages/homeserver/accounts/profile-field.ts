/** What a field of a profile may be. <https://spec.matrix.org/v1.19/client-server-api/#profiles> */
import { matrixError } from '@holdfast/protocol/errors'
import { isNamespacedId } from '@holdfast/protocol/ids/opaque'
import type { JsonObject, JsonValue } from '@holdfast/protocol/json/value'
import { INPUT_LIMITS, SPEC_LIMITS } from '@holdfast/protocol/limits'

/** @throws M_KEY_TOO_LARGE, M_INVALID_PARAM */
export function requireFieldName(name: string): void {
  if (Buffer.byteLength(name) > SPEC_LIMITS.profileKeyBytesMax) {
    throw matrixError('M_KEY_TOO_LARGE', `A profile key has at most ${SPEC_LIMITS.profileKeyBytesMax} bytes.`)
  }
  if (!isNamespacedId(name)) {
    throw matrixError('M_INVALID_PARAM', 'A profile key consists of a-z, 0-9, and ._- and begins with a letter.')
  }
}

/** The profile with the field set. An empty name or avatar is none. @throws M_INVALID_PARAM, M_PROFILE_TOO_LARGE */
export function withField(fields: JsonObject, name: string, value: JsonValue): JsonObject {
  requireValue(name, value)
  if (value === '' && (name === 'displayname' || name === 'avatar_url')) return withoutField(fields, name)
  const after = { ...fields, [name]: value }
  // The specification wants it below 64 KiB, not at it.
  if (Buffer.byteLength(JSON.stringify(after)) >= SPEC_LIMITS.profileBytesMax) {
    throw matrixError('M_PROFILE_TOO_LARGE', 'The whole profile must be smaller than 64 KiB.')
  }
  return after
}

export function withoutField(fields: JsonObject, name: string): JsonObject {
  if (!Object.hasOwn(fields, name)) return fields
  const { [name]: _removed, ...after } = fields
  return after
}

/** Fields that are texts, and how long they may be. */
export const TEXT_FIELDS: Readonly<Record<string, number>> = {
  displayname: INPUT_LIMITS.displayNameCharactersMax,
  avatar_url: INPUT_LIMITS.avatarUrlCharactersMax,
  'm.tz': SPEC_LIMITS.idBytesMax,
}

function requireValue(name: string, value: JsonValue): void {
  const charactersMax = Object.hasOwn(TEXT_FIELDS, name) ? TEXT_FIELDS[name] : undefined
  if (charactersMax === undefined) return
  if (typeof value !== 'string') throw matrixError('M_INVALID_PARAM', `\`${name}\` must be a string.`)
  if (value.length > charactersMax) {
    throw matrixError('M_INVALID_PARAM', `\`${name}\` must have at most ${charactersMax} characters.`)
  }
}
