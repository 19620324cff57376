/** What somebody is told of a single room that they may enter or look into. <https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1room_summaryroomidoralias> */
import { matrixError } from '@holdfast/protocol/errors'
import type { RoomId, ServerName } from '@holdfast/protocol/ids/brand'
import type { Requester } from '../accounts/requester.ts'
import { candidateServers } from '../rooms/remote/candidates.ts'
import { isResident, type RoomHead } from '../rooms/room-heads.ts'
import type { HierarchyDeps } from './hierarchy.ts'
import type { RemoteSummary } from './remote-space.ts'
import { roomSummary, type RoomSummary } from './room-summary.ts'
import { anybodyCouldEnter, userCouldEnter, userCouldEnterRemote } from './user-access.ts'

export type OneRoom = (RoomSummary | RemoteSummary) & { readonly membership?: string }

/**
 * `servers` are asked where nobody here is in the room. Strangers without an account make us ask nobody.
 * @throws {MatrixError} M_NOT_FOUND, in the same words for a room that the asker may not see
 */
export async function oneRoom(
  deps: HierarchyDeps,
  requester: Requester | undefined,
  { roomId, servers }: { readonly roomId: RoomId; readonly servers: readonly ServerName[] },
): Promise<OneRoom> {
  const head = await deps.heads.byId(roomId)
  const summary =
    head !== undefined && isResident(head)
      ? await localSummary(deps, requester, head)
      : await remoteSummary(deps, requester, { roomId, head, named: servers })
  if (summary === undefined) throw matrixError('M_NOT_FOUND', 'There is no such room, or none that you could enter.')
  const membership = await membershipIn(deps, requester, head)
  return { ...summary, ...(membership === undefined ? {} : { membership }) }
}

async function localSummary(
  deps: HierarchyDeps,
  requester: Requester | undefined,
  head: RoomHead,
): Promise<RoomSummary | undefined> {
  const mayEnter = requester === undefined ? anybodyCouldEnter(deps, head) : userCouldEnter(deps, head, requester)
  return (await mayEnter) ? roomSummary(deps, head) : undefined
}

async function remoteSummary(
  deps: HierarchyDeps,
  requester: Requester | undefined,
  room: { readonly roomId: RoomId; readonly head: RoomHead | undefined; readonly named: readonly ServerName[] },
): Promise<RemoteSummary | undefined> {
  if (requester === undefined) return undefined
  const servers = await candidateServers(deps, { ...room, userNid: requester.userNid })
  const told = await deps.spaces.remote.of({ roomId: room.roomId, servers, suggestedOnly: false })
  if (told === undefined || !(await userCouldEnterRemote(deps, told.room, requester))) return undefined
  return told.room
}

async function membershipIn(
  deps: Pick<HierarchyDeps, 'memberships'>,
  requester: Requester | undefined,
  head: RoomHead | undefined,
): Promise<string | undefined> {
  if (requester === undefined || head === undefined) return undefined
  return (await deps.memberships.of(requester.userNid)).get(head.roomNid)?.membership
}
