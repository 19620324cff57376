/** Every endpoint of the Client-Server API that is built, by the specification's file names. */
import * as accountData from './account-data.ts'
import * as accountDeactivation from './account_deactivation.ts'
import * as admin from './admin.ts'
import * as authFallback from './auth_fallback.ts'
import * as banning from './banning.ts'
import * as capabilities from './capabilities.ts'
import * as createRoom from './create_room.ts'
import * as crossSigning from './cross_signing.ts'
import * as deviceManagement from './device_management.ts'
import * as eventContext from './event_context.ts'
import * as filter from './filter.ts'
import * as inviting from './inviting.ts'
import * as joining from './joining.ts'
import * as kicking from './kicking.ts'
import * as keys from './keys.ts'
import * as knocking from './knocking.ts'
import * as leaving from './leaving.ts'
import * as listJoinedRooms from './list_joined_rooms.ts'
import * as login from './login.ts'
import * as loginFallback from './login_fallback.ts'
import * as loginToken from './login_token.ts'
import * as logout from './logout.ts'
import * as messagePagination from './message_pagination.ts'
import * as openid from './openid.ts'
import * as passwordManagement from './password_management.ts'
import * as policyServer from './policy_server.ts'
import * as presence from './presence.ts'
import * as profile from './profile.ts'
import * as pushrules from './pushrules.ts'
import * as readMarkers from './read_markers.ts'
import * as receipts from './receipts.ts'
import * as redaction from './redaction.ts'
import * as refresh from './refresh.ts'
import * as registration from './registration.ts'
import * as registrationTokens from './registration_tokens.ts'
import * as roomUpgrades from './room_upgrades.ts'
import * as roomEventByTimestamp from './room_event_by_timestamp.ts'
import * as roomSend from './room_send.ts'
import * as roomState from './room_state.ts'
import * as roomSummary from './room_summary.ts'
import * as rooms from './rooms.ts'
import * as sharedSecretRegistration from './shared_secret_registration.ts'
import * as spaceHierarchy from './space_hierarchy.ts'
import * as sync from './sync.ts'
import * as tags from './tags.ts'
import * as toDevice from './to_device.ts'
import * as typing from './typing.ts'
import * as versions from './versions.ts'
import * as wellknown from './wellknown.ts'
import * as whoami from './whoami.ts'
import * as withoutTransaction from './without_transaction.ts'
import * as directory from './directory.ts'
import * as listPublicRooms from './list_public_rooms.ts'
import * as oldSync from './old_sync.ts'
import * as roomInitialSync from './room_initial_sync.ts'
import type { Endpoint } from '../http/endpoint.ts'

type Handlers = Readonly<Record<string, Endpoint>>

/** One line for each handler file, in alphabetical order. */
const FILES: readonly Handlers[] = [
  accountData,
  accountDeactivation,
  admin,
  authFallback,
  banning,
  capabilities,
  createRoom,
  crossSigning,
  deviceManagement,
  eventContext,
  filter,
  inviting,
  joining,
  keys,
  kicking,
  knocking,
  leaving,
  listJoinedRooms,
  login,
  loginFallback,
  loginToken,
  logout,
  messagePagination,
  openid,
  passwordManagement,
  policyServer,
  presence,
  profile,
  pushrules,
  readMarkers,
  receipts,
  redaction,
  refresh,
  registration,
  registrationTokens,
  roomEventByTimestamp,
  roomSend,
  roomState,
  roomSummary,
  roomUpgrades,
  rooms,
  sharedSecretRegistration,
  spaceHierarchy,
  sync,
  tags,
  toDevice,
  typing,
  versions,
  wellknown,
  directory,
  listPublicRooms,
  oldSync,
  roomInitialSync,
  whoami,
  withoutTransaction,
]

export const ENDPOINTS: readonly Endpoint[] = FILES.flatMap((file) => Object.values(file))
