/** What a new room begins with, by preset. <https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3createroom> */
import { matrixError } from '@holdfast/protocol/errors'
import type { UserId } from '@holdfast/protocol/ids/brand'
import type { JsonObject } from '@holdfast/protocol/json/value'
import type { RoomRules } from '@holdfast/protocol/room-version/rules'
import type { RoomCreation } from './create-room.ts'

export type Preset = 'private_chat' | 'trusted_private_chat' | 'public_chat'

const PRESETS = {
  private_chat: { joinRule: 'invite', guestAccess: 'can_join' },
  trusted_private_chat: { joinRule: 'invite', guestAccess: 'can_join' },
  public_chat: { joinRule: 'public', guestAccess: 'forbidden' },
} as const

export function presetState(preset: Preset): readonly (readonly [type: string, content: JsonObject])[] {
  const { joinRule, guestAccess } = PRESETS[preset]
  return [
    ['m.room.join_rules', { join_rule: joinRule }],
    ['m.room.history_visibility', { history_visibility: 'shared' }],
    ['m.room.guest_access', { guest_access: guestAccess }],
  ]
}

/** Members the server decides; a client's values for them are not taken. */
const RESERVED_IN_CREATE = new Set(['creator', 'room_version'])

export function createContent(
  rules: RoomRules,
  sender: UserId,
  creation: Pick<RoomCreation, 'creationContent' | 'preset' | 'invite'>,
): JsonObject {
  const kept = Object.entries(creation.creationContent).filter(([key]) => !RESERVED_IN_CREATE.has(key))
  const trusted = rules.creatorsAboveAll && creation.preset === 'trusted_private_chat' ? creation.invite : []
  return {
    ...Object.fromEntries(kept),
    ...(rules.creatorInContent ? { creator: sender } : {}),
    ...(trusted.length > 0 ? { additional_creators: additionalCreators(creation, sender) } : {}),
    room_version: rules.version,
  }
}

/** Those the client named, and those a trusted chat invites. */
function additionalCreators(
  creation: Pick<RoomCreation, 'creationContent' | 'invite'>,
  sender: UserId,
): readonly string[] {
  const named = creation.creationContent['additional_creators'] ?? []
  if (!Array.isArray(named)) throw matrixError('M_BAD_JSON', '`creation_content.additional_creators` must be a list.')
  return [...new Set([...(named as string[]), ...creation.invite])].filter((userId) => userId !== sender)
}

export function defaultPowerLevels(rules: RoomRules, sender: UserId, creation: RoomCreation): JsonObject {
  const users: Record<string, number> = {}
  if (!rules.creatorsAboveAll) {
    users[sender] = 100
    if (creation.preset === 'trusted_private_chat') for (const userId of creation.invite) users[userId] = 100
  }
  return {
    users,
    users_default: 0,
    events: {
      'm.room.name': 50,
      'm.room.power_levels': 100,
      'm.room.history_visibility': 100,
      'm.room.canonical_alias': 50,
      'm.room.avatar': 50,
      // Replacing a room is for its creators, where they stand above all levels.
      'm.room.tombstone': rules.creatorsAboveAll ? 150 : 100,
      'm.room.server_acl': 100,
      'm.room.encryption': 100,
    },
    events_default: 0,
    state_default: 50,
    ban: 50,
    kick: 50,
    redact: 50,
    invite: creation.preset === 'public_chat' ? 50 : 0,
    ...creation.powerLevelOverride,
  }
}
