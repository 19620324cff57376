/** I15: who counts as a member, and which servers as present, is what the state says. */
import { membershipOfCode } from '@holdfast/homeserver/storage/memberships'
import { sql } from '@holdfast/platform/database/sql'
import { residentServers } from '../world/rooms.ts'
import { roomStates } from '../world/room-states.ts'
import { heldRooms } from '../world/held-room.ts'
import type { EventId } from '@holdfast/protocol/ids/brand'
import type { World } from '../world/world.ts'

export async function membershipsMatchTheState(world: World): Promise<void> {
  for (const roomId of world.society.rooms) {
    for (const server of await residentServers(world, roomId)) {
      const [held] = await heldRooms([server], [roomId])
      const { state } = await roomStates(server, roomId)
      const rows = await server.disk.all<{ user_id: string; membership: number; event_id: string }>(sql`
        SELECT u.user_id, m.membership, e.event_id FROM memberships m JOIN rooms r ON r.room_nid = m.room_nid
        JOIN users u ON u.user_nid = m.user_nid LEFT JOIN events e ON e.event_nid = m.event_nid
        WHERE r.room_id = ${roomId} ORDER BY u.user_id`)
      const stored = new Map(rows.map((row) => [row.user_id, row] as const))
      for (const [key, eventId] of state) {
        if (!key.startsWith('m.room.member ')) continue
        const userId = key.slice('m.room.member '.length)
        const said = held?.events.get(eventId as EventId)?.pdu.content['membership']
        const row = stored.get(userId)
        const counted = row === undefined ? 'none' : membershipOfCode(row.membership)
        // Who refused an invitation that nobody heard of is out for their own server alone.
        if ((counted === 'join') !== (said === 'join') || (said === 'join' && row?.event_id !== eventId))
          world.complain('memberships-match-the-state', `${server.name} ${userId}: ${counted} by ${row?.event_id}, in the state ${String(said)} by ${eventId}`)
      }
      const joinedServers = new Map<string, number>()
      for (const [userId, row] of stored) {
        const name = userId.slice(userId.indexOf(':') + 1)
        if (membershipOfCode(row.membership) === 'join' && name !== server.name) joinedServers.set(name, (joinedServers.get(name) ?? 0) + 1)
      }
      const counts = await server.disk.all<{ server_name: string; joined: number }>(sql`
        SELECT s.server_name, s.joined FROM room_servers s JOIN rooms r ON r.room_nid = s.room_nid WHERE r.room_id = ${roomId}`)
      const counted = new Map(counts.filter(({ joined }) => joined > 0).map((row) => [row.server_name, row.joined]))
      for (const name of new Set([...counted.keys(), ...joinedServers.keys()]))
        if (counted.get(name) !== joinedServers.get(name))
          world.complain('memberships-match-the-state', `${server.name} ${roomId}: ${counted.get(name)} of ${name} are counted, ${joinedServers.get(name)} are joined`)
    }
  }
}
