/** Who is in which room, as a server has it on its disk. */
import { MEMBERSHIP_CODES } from '@holdfast/homeserver/storage/memberships'
import { sql } from '@holdfast/platform/database/sql'
import type { SimulatedServer } from './server.ts'
import type { World } from './world.ts'

export async function isJoined({ disk }: Pick<SimulatedServer, 'disk'>, roomId: string, userId: string): Promise<boolean> {
  const row = await disk.row(sql`
    SELECT 1 FROM memberships m JOIN rooms r ON r.room_nid = m.room_nid JOIN users u ON u.user_nid = m.user_nid
    WHERE r.room_id = ${roomId} AND u.user_id = ${userId} AND m.membership = ${MEMBERSHIP_CODES.join}`)
  return row !== undefined
}

/** The servers that say of themselves that somebody of theirs is in the room. */
export async function residentServers({ servers, society }: World, roomId: string): Promise<readonly SimulatedServer[]> {
  const residents: SimulatedServer[] = []
  for (const server of servers) {
    for (const person of society.people) {
      if (person.server !== server || !(await isJoined(server, roomId, person.userId))) continue
      residents.push(server)
      break
    }
  }
  return residents
}
