/** Events as clients from before /sync read them, from the event stream and the snapshots. */
import type { RoomId } from '@holdfast/protocol/ids/brand'
import { clientEvents, type ClientEventFormat } from '../rooms/client-events.ts'
import type { StoredEvent } from '../rooms/event-store.ts'

/** With the sender as `user_id` and the age beside the content, where the first version of the API had them. */
export async function oldEvents(
  deps: Parameters<typeof clientEvents>[0],
  events: readonly StoredEvent[],
  format: Omit<ClientEventFormat, 'room'>,
): Promise<readonly string[]> {
  const texts = await clientEvents(deps, events, { ...format, room: 'with-room-id' })
  const nowMs = deps.clock.nowMs()
  return texts.map((text, index) => {
    const { sender, originServerTs } = events[index]!.pdu
    const age = Math.max(0, nowMs - originServerTs)
    return `{"user_id":${JSON.stringify(sender)},"age":${age},${text.slice(1)}`
  })
}

/** What has no `room_id` in /sync, where it stands below its room. */
export function withRoomId(text: string, roomId: RoomId): string {
  return `{"room_id":${JSON.stringify(roomId)},${text.slice(1)}`
}
