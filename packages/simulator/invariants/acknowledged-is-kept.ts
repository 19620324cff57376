/** I2 and I11: what a server acknowledged is there, under the id that it told, and once. */
import { eventsLike } from '../storage/inspections.ts'
import type { World } from '../world/world.ts'

export async function acknowledgedIsKept({ society, complain }: World): Promise<void> {
  for (const { person, roomId, eventId, body } of society.acknowledged) {
    const rows = await eventsLike(person.server.disk, { roomId, eventId, body })
    const kept = rows.filter(({ event_id: id }) => id === eventId)
    if (kept.length !== 1)
      complain('acknowledged-is-kept', `${eventId} of ${person.userId} is there ${kept.length} times`)
    if (rows.length > kept.length)
      complain('acknowledged-is-kept', `"${body}" has several ids: ${rows.map(({ event_id: id }) => id).join(' ')}`)
  }
}
