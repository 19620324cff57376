/** The table of room versions: each is the one before plus its differences. <https://spec.matrix.org/v1.19/rooms/> */
import type { RedactionRules } from './redaction-rules.ts'
import { REDACTION_V1, REDACTION_V11, REDACTION_V6, REDACTION_V8, REDACTION_V9 } from './redaction-rules.ts'

export type RoomVersion = '1' | '2' | '3' | '4' | '5' | '6' | '7' | '8' | '9' | '10' | '11' | '12'

export type RoomRules = {
  readonly version: RoomVersion
  readonly stateResolution: 'v1' | 'v2' | 'v2.1'

  // The event format.
  /** `random`: chosen by the sender's server; the others are the reference hash, in plain or URL-safe base64. */
  readonly eventId: 'random' | 'hash' | 'url-safe-hash'
  /** Edges are pairs of event id and reference hash, and the event carries its own id. */
  readonly edgesAsPairs: boolean
  /** Events name the server that made them in `origin`. */
  readonly originField: boolean
  /** Numbers must be integers between -(2^53)+1 and (2^53)-1, or the event is dropped. */
  readonly strictCanonicalJson: boolean
  /**
   * The lengths of type and state key of a received event count in characters. The specification says bytes for all versions, but
   * rooms of these have longer ones that all of their servers took: who drops them parts from the room.
   */
  readonly lengthsInCharacters: boolean
  /** `redacts` stands in the content of m.room.redaction, not beside it. */
  readonly redactsInContent: boolean
  readonly redaction: RedactionRules
  /** The room id is the hash of the create event, which therefore carries none, and is no auth event. */
  readonly roomIdIsCreateHash: boolean

  // Signatures.
  /** The server in the event id must have signed, too. */
  readonly eventIdServerSigns: boolean
  /** A signature counts only while its key is valid. */
  readonly enforcesKeyValidity: boolean

  // The authorisation rules.
  /** The creator is `content.creator` of the create event, which is required; otherwise its sender. */
  readonly creatorInContent: boolean
  /** Creators, with `additional_creators`, stand above every power level and are never listed. */
  readonly creatorsAboveAll: boolean
  /** m.room.aliases is governed by the server in its state key alone. */
  readonly aliasesRule: boolean
  /** Whether m.room.redaction is allowed depends on what it redacts. */
  readonly redactionRule: boolean
  /** Changes in `notifications` of the power levels are limited like those in `events`. */
  readonly notificationLevelsGuarded: boolean
  /** Power levels may be strings of digits, and fractions where the JSON allows them. */
  readonly looseLevels: boolean
  readonly knocking: boolean
  readonly restrictedJoins: boolean
  readonly knockRestricted: boolean
}

const V1: RoomRules = {
  version: '1',
  stateResolution: 'v1',
  eventId: 'random',
  edgesAsPairs: true,
  originField: true,
  strictCanonicalJson: false,
  lengthsInCharacters: true,
  redactsInContent: false,
  redaction: REDACTION_V1,
  roomIdIsCreateHash: false,
  eventIdServerSigns: true,
  enforcesKeyValidity: false,
  creatorInContent: true,
  creatorsAboveAll: false,
  aliasesRule: true,
  redactionRule: true,
  notificationLevelsGuarded: false,
  looseLevels: true,
  knocking: false,
  restrictedJoins: false,
  knockRestricted: false,
}
const V2: RoomRules = { ...V1, version: '2', stateResolution: 'v2' }
const V3: RoomRules = {
  ...V2,
  version: '3',
  eventId: 'hash',
  edgesAsPairs: false,
  originField: false,
  eventIdServerSigns: false,
  redactionRule: false,
}
const V4: RoomRules = { ...V3, version: '4', eventId: 'url-safe-hash' }
const V5: RoomRules = { ...V4, version: '5', enforcesKeyValidity: true }
const V6: RoomRules = {
  ...V5,
  version: '6',
  strictCanonicalJson: true,
  redaction: REDACTION_V6,
  aliasesRule: false,
  notificationLevelsGuarded: true,
}
const V7: RoomRules = { ...V6, version: '7', knocking: true }
const V8: RoomRules = { ...V7, version: '8', redaction: REDACTION_V8, restrictedJoins: true }
const V9: RoomRules = { ...V8, version: '9', redaction: REDACTION_V9 }
const V10: RoomRules = { ...V9, version: '10', looseLevels: false, knockRestricted: true }
const V11: RoomRules = {
  ...V10,
  version: '11',
  lengthsInCharacters: false,
  redactsInContent: true,
  redaction: REDACTION_V11,
  creatorInContent: false,
}
const V12: RoomRules = {
  ...V11,
  version: '12',
  stateResolution: 'v2.1',
  roomIdIsCreateHash: true,
  creatorsAboveAll: true,
}

const TABLE: ReadonlyMap<string, RoomRules> = new Map(
  [V1, V2, V3, V4, V5, V6, V7, V8, V9, V10, V11, V12].map((rules) => [rules.version, rules] as const),
)

/** All that we speak, oldest first; the specification calls every one of them stable. */
export const ROOM_VERSIONS: readonly RoomVersion[] = [...TABLE.values()].map((rules) => rules.version)
export const DEFAULT_ROOM_VERSION: RoomVersion = '12'

export function rulesFor(version: string): RoomRules | undefined {
  return TABLE.get(version)
}

/** The room version that a create event's content declares: absent means 1, anything but a string is no version. */
export function declaredRoomVersion(content: { readonly [key: string]: unknown }): string | undefined {
  if (!Object.hasOwn(content, 'room_version')) return '1'
  return typeof content['room_version'] === 'string' ? content['room_version'] : undefined
}
