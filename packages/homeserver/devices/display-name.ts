/** The names that people give their devices. */
import { matrixError } from '@holdfast/protocol/errors'
import { INPUT_LIMITS } from '@holdfast/protocol/limits'

const CHARACTERS_MAX = INPUT_LIMITS.deviceNameCharactersMax

/** What a client proposes at login is cut to what is allowed: its user can do nothing about it. */
export function cutDisplayName(name: string): string {
  // Half of a surrogate pair at the end is no character.
  return name.slice(0, CHARACTERS_MAX).replace(/[\uD800-\uDBFF]$/, '')
}

/** @throws M_TOO_LARGE */
export function requireDisplayName(name: string): void {
  if (name.length <= CHARACTERS_MAX) return
  throw matrixError('M_TOO_LARGE', `The name of a device has at most ${CHARACTERS_MAX} characters.`, { status: 400 })
}
