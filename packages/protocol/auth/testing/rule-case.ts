/** What a case for one rule consists of, and the rooms that most of them play in. */
import { aRoom } from '../../event/testing/a-room.ts'
import type { TestRoom } from '../../event/testing/a-room.ts'
import type { Pdu } from '../../event/pdu.ts'
import type { JsonObject } from '../../json/value.ts'
import type { RoomVersion } from '../../room-version/rules.ts'
import type { AuthRule, AuthVerdict } from '../auth-rules.ts'

export type RuleCase = {
  readonly rule: AuthRule
  /** What is broken, in words; different for two cases of one rule. */
  readonly broken: string
  /** The verdict on something valid, and on the same with the one thing broken. */
  readonly verdicts: (version: RoomVersion) => { readonly valid: AuthVerdict; readonly broken: AuthVerdict }
}

/** The verdicts on two events in one room. */
export function inOneRoom(room: TestRoom, valid: Pdu, broken: Pdu): ReturnType<RuleCase['verdicts']> {
  return { valid: room.verdict(valid), broken: room.verdict(broken) }
}

/** The verdicts on one event, made anew in two rooms. */
export function inTwoRooms(
  { valid, broken }: { valid: TestRoom; broken: TestRoom },
  event: (room: TestRoom) => Pdu,
): ReturnType<RuleCase['verdicts']> {
  return { valid: valid.verdict(event(valid)), broken: broken.verdict(event(broken)) }
}

/** @ann:a made the room; @adm:a (100), @bob:b (50) and @cat:c (20) are in it. */
export function levelledRoom(version: RoomVersion, more: JsonObject = {}): TestRoom {
  const room = aRoom({ version }).join('@adm:a').join('@bob:b').join('@cat:c')
  return room.send(room.stateEvent('@ann:a', 'm.room.power_levels', '', levels(room, more)))
}

/** The content of power levels for such a room; `users` in `more` adds to the usual ones. */
export function levels(room: TestRoom, more: JsonObject = {}): JsonObject {
  const creator: JsonObject = room.rules.creatorsAboveAll ? {} : { '@ann:a': 100 }
  const users = { ...creator, '@adm:a': 100, '@bob:b': 50, '@cat:c': 20, ...(more['users'] as JsonObject | undefined) }
  return { ...more, users }
}
