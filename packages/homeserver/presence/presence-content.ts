/** Presence as clients see it. */
import type { JsonObject } from '@holdfast/protocol/json/value'
import type { Presence } from './tracker.ts'

export const STATUS_CHARACTERS_MAX = 1_000

/** Who is online is active: the end of that is told as another state, and until then nothing has to be. */
export function presenceContent({ state, statusMessage, lastActiveMs }: Presence, nowMs: number): JsonObject {
  return {
    presence: state,
    ...(lastActiveMs === undefined ? {} : { last_active_ago: Math.max(0, nowMs - lastActiveMs) }),
    currently_active: state === 'online',
    ...(statusMessage === undefined ? {} : { status_msg: statusMessage }),
  }
}
