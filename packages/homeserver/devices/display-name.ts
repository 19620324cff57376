/** The names that people give their devices. */
import { INPUT_LIMITS } from '@holdfast/protocol/limits'

/** What a client proposes at login is cut to what is allowed: its user can do nothing about it. */
export function cutDisplayName(name: string): string {
  return [...name].slice(0, INPUT_LIMITS.deviceNameCharactersMax).join('')
}
