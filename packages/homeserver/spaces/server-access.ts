/** Whether somebody of another server could look into a room or join it. */
import { serverNameOf } from '@holdfast/protocol/ids/common'
import type { ServerName } from '@holdfast/protocol/ids/brand'
import type { Homeserver } from '../homeserver.ts'
import { stateEventAt } from '../rooms/current-state.ts'
import { roomAcl } from '../rooms/room-acl.ts'
import type { RoomHead } from '../rooms/room-heads.ts'
import { isServerInRoom } from '../rooms/serve/served-room.ts'
import { allowedRooms, contentAt } from './room-summary.ts'

type AccessDeps = Pick<Homeserver, 'heads' | 'events' | 'dictionary'>

/** Invited users looked through for one of the server. */
const INVITED_MAX = 1_000

export async function couldEnter(deps: AccessDeps, head: RoomHead, server: ServerName): Promise<boolean> {
  if (!(await roomAcl(deps, head)).allows(server) || !(await isOpenTo(deps, head, server))) return false
  if (isServerInRoom(head, server) || (await isForEverybody(deps, head))) return true
  return (await isThroughAnother(deps, head, server)) || (await hasInvited(deps, head, server))
}

/** A room may be for users of its creator's server only. */
async function isOpenTo(deps: AccessDeps, head: RoomHead, server: ServerName): Promise<boolean> {
  const create = await stateEventAt(deps, head.state.map, { type: 'm.room.create', stateKey: '' })
  if (create === undefined) return false
  return create.pdu.content['m.federate'] !== false || serverNameOf(create.pdu.sender) === server
}

async function isForEverybody(deps: AccessDeps, head: RoomHead): Promise<boolean> {
  const { join_rule: rule } = await contentAt(deps, head, 'm.room.join_rules')
  const { knocking, knockRestricted } = head.rules
  if (rule === 'public' || (rule === 'knock' && knocking) || (rule === 'knock_restricted' && knockRestricted))
    return true
  const { history_visibility: visibility } = await contentAt(deps, head, 'm.room.history_visibility')
  return visibility === 'world_readable'
}

/** Members of another room may join, and the server has some there. */
async function isThroughAnother(deps: AccessDeps, head: RoomHead, server: ServerName): Promise<boolean> {
  for (const roomId of await allowedRooms(deps, head)) {
    const other = await deps.heads.byId(roomId)
    if (other !== undefined && isServerInRoom(other, server)) return true
  }
  return false
}

async function hasInvited(deps: AccessDeps, head: RoomHead, server: ServerName): Promise<boolean> {
  const invited = await deps.dictionary.userIds([...head.members.invited.values().take(INVITED_MAX)])
  return invited.some((userId) => serverNameOf(userId) === server)
}
