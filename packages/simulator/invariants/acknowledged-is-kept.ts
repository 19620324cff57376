/** I2 and I11: what a server acknowledged is there, under the id that it told, and once. */
import { sql } from '@holdfast/platform/database/sql'
import type { World } from '../world/world.ts'

export async function acknowledgedIsKept({ society, complain }: World): Promise<void> {
  for (const { person, roomId, eventId, body } of society.acknowledged) {
    const rows = await person.server.disk.all<{ event_id: string; flags: number; redacted_by_nid: number | null }>(sql`
      SELECT e.event_id, e.flags, e.redacted_by_nid FROM events e JOIN rooms r ON r.room_nid = e.room_nid
      WHERE r.room_id = ${roomId} AND (e.event_id = ${eventId} OR e.json LIKE ${`%"${body}"%`})`)
    const kept = rows.filter(({ event_id: id }) => id === eventId)
    if (kept.length !== 1) complain('acknowledged-is-kept', `${eventId} of ${person.userId} is there ${kept.length} times`)
    if (rows.length > kept.length)
      complain('acknowledged-is-kept', `"${body}" has several ids: ${rows.map(({ event_id: id }) => id).join(' ')}`)
  }
}
