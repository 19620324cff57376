/** A space and its children as another server is told of them. <https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1hierarchyroomid> */
import { matrixError } from '@holdfast/protocol/errors'
import type { RoomId, ServerName } from '@holdfast/protocol/ids/brand'
import { OUTPUT_LIMITS } from '@holdfast/protocol/limits'
import type { Homeserver } from '../homeserver.ts'
import { isResident, type RoomHead } from '../rooms/room-heads.ts'
import { roomSummary, type RoomSummary } from './room-summary.ts'
import { couldEnter } from './server-access.ts'
import { spaceChildren, strippedChild, type SpaceChild } from './space-children.ts'

type HierarchyDeps = Pick<Homeserver, 'db' | 'heads' | 'events' | 'dictionary'>

export type FederationHierarchy = {
  readonly room: RoomSummary & { readonly children_state: readonly object[] }
  readonly children: readonly RoomSummary[]
  readonly inaccessible_children: readonly RoomId[]
}

/** @throws {MatrixError} M_NOT_FOUND, in the same words for a room that the server could not enter */
export async function federationHierarchy(
  deps: HierarchyDeps,
  origin: ServerName,
  query: { readonly roomId: RoomId; readonly suggestedOnly: boolean },
): Promise<FederationHierarchy> {
  const head = await residentHead(deps, query.roomId)
  if (head === undefined || !(await couldEnter(deps, head, origin))) {
    throw matrixError('M_NOT_FOUND', 'There is no such room here that your server could enter.')
  }
  const all = await spaceChildren(deps, head.state.map)
  const named = query.suggestedOnly ? all.filter(({ isSuggested }) => isSuggested) : all
  const room = { ...(await roomSummary(deps, head)), children_state: named.map(strippedChild) }
  return { room, ...(await childRooms(deps, origin, named)) }
}

async function childRooms(
  deps: HierarchyDeps,
  origin: ServerName,
  named: readonly SpaceChild[],
): Promise<Omit<FederationHierarchy, 'room'>> {
  const children: RoomSummary[] = []
  const inaccessible: RoomId[] = []
  for (const { roomId } of named.slice(0, OUTPUT_LIMITS.hierarchyRoomsMax)) {
    const child = await residentHead(deps, roomId)
    // What another server would say of it is theirs to say.
    if (child === undefined) continue
    if (await couldEnter(deps, child, origin)) children.push(await roomSummary(deps, child))
    else inaccessible.push(roomId)
  }
  return { children, inaccessible_children: inaccessible }
}

/** The room, if this server is in it, so that what it knows of the room is of today. */
async function residentHead(deps: HierarchyDeps, roomId: RoomId): Promise<RoomHead | undefined> {
  const head = await deps.heads.byId(roomId)
  return head !== undefined && isResident(head) ? head : undefined
}
