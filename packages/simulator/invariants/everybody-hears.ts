/** I12: a server that was in a room all the time has every message that was acknowledged there. */
import type { EventId } from '@holdfast/protocol/ids/brand'
import { heldRooms } from '../world/held-room.ts'
import { residentServers } from '../world/rooms.ts'
import type { World } from '../world/world.ts'

export async function everybodyHears(world: World): Promise<void> {
  if (world.counts.isolated > 0) return
  const { society, exchanges, complain } = world
  for (const roomId of society.rooms) {
    for (const server of await residentServers(world, roomId)) {
      const joins = exchanges.filter(
        ({ from, status, request: { path } }) =>
          from === server.name &&
          status === 200 &&
          path.includes('/send_join/') &&
          path.includes(encodeURIComponent(roomId).replaceAll('%21', '!')),
      )
      const joinsMax = server === society.people[0]?.server ? 0 : 1
      if (new Set(joins.map(({ request }) => request.path)).size > joinsMax) continue
      const [held] = await heldRooms([server], [roomId])
      const first = society.acknowledged.findIndex(
        ({ roomId: room, person }) => room === roomId && person.server === server,
      )
      for (const said of society.acknowledged.slice(Math.max(first, 0))) {
        if (said.roomId !== roomId || held?.events.has(said.eventId as EventId) === true) continue
        complain('everybody-hears', `${server.name} has not heard ${said.eventId} "${said.body}"`)
      }
    }
  }
}
