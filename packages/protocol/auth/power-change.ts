/** The rules for a new m.room.power_levels: nobody hands out, or takes, more than they have. */
import type { Pdu } from '../event/pdu.ts'
import { parseUserId } from '../ids/user-id.ts'
import { isObject } from '../json/value.ts'
import type { JsonObject, JsonValue } from '../json/value.ts'
import type { RoomRules } from '../room-version/rules.ts'
import { ALLOWED, reject } from './auth-rules.ts'
import type { AuthRule, AuthVerdict } from './auth-rules.ts'
import type { AuthState } from './auth-state.ts'
import { creatorsAboveAll, own } from './auth-state.ts'
import type { PowerLevel } from './level.ts'
import { levelAt, objectAt, parseLevel, sameLevel } from './level.ts'

const PROPERTIES = ['users_default', 'events_default', 'state_default', 'ban', 'redact', 'kick', 'invite']
const NOTHING: JsonObject = {}

type PowerChange = {
  readonly rules: RoomRules
  readonly event: Pdu
  readonly state: AuthState
  readonly create: Pdu
  /** The power level of the sender before the event. */
  readonly level: PowerLevel
}

export function checkPowerChange({ rules, event, state, create, level }: PowerChange): AuthVerdict {
  const next = event.content
  const malformed = rules.looseLevels ? undefined : malformedLevels(rules, next, EVENT_SECTIONS)
  if (malformed !== undefined) return reject(malformed)
  if (!areUserLevels(rules, own(next, 'users'))) return reject('power-levels-users-malformed')
  const users = objectAt(next, 'users') ?? NOTHING
  if (creatorsAboveAll(rules, create).some((creator) => Object.hasOwn(users, creator))) {
    return reject('power-levels-name-creator')
  }
  const previous = state.get('m.room.power_levels', '')?.content
  if (previous === undefined) return ALLOWED
  const broken = brokenLimit(rules, { previous, next, level, sender: event.sender })
  return broken === undefined ? ALLOWED : reject(broken)
}

const EVENT_SECTIONS = ['events', 'notifications']

function malformedLevels(rules: RoomRules, content: JsonObject, sections: readonly string[]): AuthRule | undefined {
  if (PROPERTIES.some((key) => Object.hasOwn(content, key) && parseLevel(rules, content[key]) === undefined)) {
    return 'power-levels-property-malformed'
  }
  const malformed = sections.some((key) => Object.hasOwn(content, key) && !areLevels(rules, content[key]))
  return malformed ? 'power-levels-event-malformed' : undefined
}

function areLevels(rules: RoomRules, value: JsonValue | undefined): value is JsonObject {
  return isObject(value) && Object.values(value).every((level) => parseLevel(rules, level) !== undefined)
}

function areUserLevels(rules: RoomRules, users: JsonValue | undefined): boolean {
  if (users === undefined) return true
  return areLevels(rules, users) && Object.keys(users).every((userId) => parseUserId(userId) !== undefined)
}

type Levels = {
  readonly previous: JsonObject
  readonly next: JsonObject
  readonly level: PowerLevel
  readonly sender: string
}

/** The first limit that the change from `previous` to `next` breaks. */
function brokenLimit(rules: RoomRules, levels: Levels): AuthRule | undefined {
  const sections = rules.notificationLevelsGuarded ? EVENT_SECTIONS : ['events']
  // The older versions' text does not speak of a level that is none. Whoever could set one would set a level unchecked.
  const malformed = rules.looseLevels ? malformedLevels(rules, levels.next, sections) : undefined
  return (
    malformed ??
    brokenPropertyLimit(rules, levels) ??
    brokenEventLimit(rules, levels, sections) ??
    brokenUserLimit(rules, levels)
  )
}

function brokenPropertyLimit(rules: RoomRules, { previous, next, level }: Levels): AuthRule | undefined {
  for (const change of changesBetween(rules, { previous, next, keys: PROPERTIES })) {
    if (isAbove(change.from, level)) return 'power-levels-property-above-sender'
    if (isAbove(change.to, level)) return 'power-levels-property-raised-above-sender'
  }
  return undefined
}

function brokenEventLimit(rules: RoomRules, levels: Levels, sections: readonly string[]): AuthRule | undefined {
  const changes = sections.flatMap((section) => sectionChanges(rules, levels, section))
  if (changes.some(({ from }) => isAbove(from, levels.level))) return 'power-levels-event-above-sender'
  if (changes.some(({ to }) => isAbove(to, levels.level))) return 'power-levels-event-raised-above-sender'
  return undefined
}

function brokenUserLimit(rules: RoomRules, levels: Levels): AuthRule | undefined {
  const changes = sectionChanges(rules, levels, 'users')
  const isTooHigh = ({ key, from }: Change): boolean =>
    key !== levels.sender && from !== undefined && from >= levels.level
  if (changes.some(isTooHigh)) return 'power-levels-user-not-below-sender'
  if (changes.some(({ to }) => isAbove(to, levels.level))) return 'power-levels-user-raised-above-sender'
  return undefined
}

type Change = { readonly key: string; readonly from: PowerLevel | undefined; readonly to: PowerLevel | undefined }

function sectionChanges(rules: RoomRules, { previous, next }: Levels, section: string): Change[] {
  const before = objectAt(previous, section) ?? NOTHING
  const after = objectAt(next, section) ?? NOTHING
  const keys = new Set([...Object.keys(before), ...Object.keys(after)])
  return changesBetween(rules, { previous: before, next: after, keys })
}

type Between = { readonly previous: JsonObject; readonly next: JsonObject; readonly keys: Iterable<string> }

/** What was added, changed or removed. `"100"` and `100` are the same level, an absent one and its default are not. */
function changesBetween(rules: RoomRules, { previous, next, keys }: Between): Change[] {
  const changes: Change[] = []
  for (const key of keys) {
    const from = levelAt(rules, previous, key)
    const to = levelAt(rules, next, key)
    if (!sameLevel(from, to)) changes.push({ key, from, to })
  }
  return changes
}

function isAbove(value: PowerLevel | undefined, level: PowerLevel): boolean {
  return value !== undefined && value > level
}
