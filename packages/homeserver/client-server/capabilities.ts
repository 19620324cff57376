/** GET /capabilities <https://spec.matrix.org/v1.19/client-server-api/#capabilities-negotiation> */
import * as capabilities from '@holdfast/api/generated/client-server/capabilities'
import { DEFAULT_ROOM_VERSION, ROOM_VERSIONS } from '@holdfast/protocol/room-version/rules'
import { route } from './route.ts'

const CAPABILITIES = {
  'm.change_password': { enabled: true },
  'm.profile_fields': { enabled: true },
  'm.set_displayname': { enabled: true },
  'm.set_avatar_url': { enabled: true },
  // Accounts have no e-mail addresses or phone numbers here.
  'm.3pid_changes': { enabled: false },
  'm.get_login_token': { enabled: true },
  'm.forget_forced_upon_leave': { enabled: false },
} as const

const AVAILABLE_ROOM_VERSIONS = Object.fromEntries(ROOM_VERSIONS.map((version) => [version, 'stable'] as const))

/** For administrators only; for others it is left out. */
const MODERATION = { 'm.account_moderation': { lock: true, suspend: true } } as const

export const getCapabilities = route(capabilities.getCapabilities, async ({ deps, requester }) => ({
  capabilities: {
    ...CAPABILITIES,
    'm.room_versions': {
      default: deps.settings.defaultRoomVersion ?? DEFAULT_ROOM_VERSION,
      available: AVAILABLE_ROOM_VERSIONS,
    },
    ...(requester.isAdmin ? MODERATION : {}),
  },
}))
