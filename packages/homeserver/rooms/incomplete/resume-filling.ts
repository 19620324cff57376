/** After a restart: goes on with the rooms that were incomplete. Call before other servers can be heard. */
import type { Homeserver } from '../../homeserver.ts'
import { fillRoom, type FillDeps } from './fill-room.ts'

export async function resumeFilling(deps: FillDeps & Pick<Homeserver, 'inboxes' | 'incompleteRooms'>): Promise<void> {
  for (const filling of deps.incompleteRooms.all()) {
    const { roomId } = await deps.events.room(filling.roomNid)
    deps.incompleteRooms.track(deps.inboxes.run(roomId, () => fillRoom(deps, filling), { isLong: true }))
  }
}
