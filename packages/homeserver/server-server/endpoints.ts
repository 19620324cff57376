/** Every endpoint of the Server-Server API that is built, by the specification's file names. */
import type { Endpoint } from '../http/endpoint.ts'
import * as backfill from './backfill.ts'
import * as eventAuth from './event_auth.ts'
import * as events from './events.ts'
import * as invitesV1 from './invites-v1.ts'
import * as invitesV2 from './invites-v2.ts'
import * as joins from './joins.ts'
import * as joinsV1 from './joins-v1.ts'
import * as joinsV2 from './joins-v2.ts'
import * as keysQuery from './keys_query.ts'
import * as keysServer from './keys_server.ts'
import * as knocks from './knocks.ts'
import * as leaving from './leaving.ts'
import * as leavingV1 from './leaving-v1.ts'
import * as leavingV2 from './leaving-v2.ts'
import * as openid from './openid.ts'
import * as publicRooms from './public_rooms.ts'
import * as query from './query.ts'
import * as roomPolicy from './room_policy.ts'
import * as spaceHierarchy from './space_hierarchy.ts'
import * as thirdPartyInvite from './third_party_invite.ts'
import * as transactions from './transactions.ts'
import * as userDevices from './user_devices.ts'
import * as userKeys from './user_keys.ts'
import * as version from './version.ts'
import * as wellknown from './wellknown.ts'

type Handlers = Readonly<Record<string, Endpoint>>

/** One line for each handler file, in alphabetical order. */
const FILES: readonly Handlers[] = [
  backfill,
  eventAuth,
  events,
  invitesV1,
  invitesV2,
  joins,
  joinsV1,
  joinsV2,
  keysQuery,
  keysServer,
  knocks,
  leaving,
  leavingV1,
  leavingV2,
  openid,
  publicRooms,
  query,
  roomPolicy,
  spaceHierarchy,
  thirdPartyInvite,
  transactions,
  userDevices,
  userKeys,
  version,
  wellknown,
]

export const ENDPOINTS: readonly Endpoint[] = FILES.flatMap((file) => Object.values(file))
