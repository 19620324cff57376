/** The power levels of a room that replaces another, perhaps of a version with other ideas of them. */
import { objectAt, parseLevel, type PowerLevel } from '@holdfast/protocol/auth/level'
import type { UserId } from '@holdfast/protocol/ids/brand'
import { isObject, type JsonObject, type JsonValue } from '@holdfast/protocol/json/value'
import type { RoomRules } from '@holdfast/protocol/room-version/rules'

export type LevelsQuestion = {
  readonly oldRules: RoomRules
  readonly oldContent: JsonObject | undefined
  /** Who stood above all levels in the old room. */
  readonly oldCreators: readonly string[]
  readonly upgrader: UserId
  /** Who will, where the version of the new room has such creators. */
  readonly newCreators: readonly UserId[]
}

export type ReplacementLevels = {
  /** In force while the upgrader sets the room up. */
  readonly toBuild: JsonObject
  /** In force after that; undefined: as they are. */
  readonly toStay: JsonObject | undefined
}

/** What somebody who stood above all levels gets where there is nothing above them. */
const CREATOR_LEVEL = 100
const STATE_DEFAULT = 50

export function replacementLevels(rules: RoomRules, question: LevelsQuestion): ReplacementLevels {
  const { oldRules, oldContent = {}, upgrader } = question
  const content = integersOnly(oldRules, oldContent) as JsonObject
  const users = { ...objectAt(content, 'users') }
  if (rules.creatorsAboveAll) {
    for (const creator of question.newCreators) delete users[creator]
    return { toBuild: { ...content, users }, toStay: undefined }
  }
  const highest = highestIn(content)
  for (const creator of question.oldCreators) users[creator] = highest
  const settled = { ...content, users }
  const present = numberAt(users, upgrader) ?? numberAt(content, 'users_default') ?? 0
  if (present >= highest) return { toBuild: settled, toStay: undefined }
  const toBuild = { ...content, users: { ...users, [upgrader]: highest } }
  // A room that had no levels had one creator, who did what nobody else might.
  return { toBuild, toStay: question.oldContent === undefined ? undefined : settled }
}

function numberAt(content: JsonObject, key: string): number | undefined {
  const value = Object.hasOwn(content, key) ? content[key] : undefined
  return typeof value === 'number' ? value : undefined
}

/** A level that is enough for everything in the room, and to change everybody's level. */
function highestIn(content: JsonObject): number {
  const nested = ['users', 'events', 'notifications'].flatMap((key) => Object.values(objectAt(content, key) ?? {}))
  const levels = [...Object.values(content), ...nested].filter((value) => typeof value === 'number')
  let highest = Math.max(CREATOR_LEVEL, STATE_DEFAULT)
  for (const level of levels) highest = Math.max(highest, level)
  return highest
}

/** Old versions take texts and fractions for levels; all versions take integers. What cannot be one is left out. */
function integersOnly(rules: RoomRules, value: JsonValue): JsonValue {
  if (!isObject(value)) return value
  const entries = Object.entries(value).flatMap(([key, member]): [string, JsonValue][] => {
    if (isObject(member)) return [[key, integersOnly(rules, member)]]
    const level = parseLevel(rules, member)
    return level === undefined || !isSafe(level) ? [] : [[key, Number(level)]]
  })
  return Object.fromEntries(entries)
}

function isSafe(level: PowerLevel): boolean {
  return Number.isSafeInteger(Number(level))
}
