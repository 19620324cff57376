/**
 * What arrives for a room from other servers is worked off one after the other, waiting for other servers included; what is
 * sent here does not wait for that, as it goes through the room's queue alone.
 */
import { matrixError } from '@holdfast/protocol/errors'
import type { RoomId } from '@holdfast/protocol/ids/brand'

export type RoomInboxes = {
  /** @throws {MatrixError} M_LIMIT_EXCEEDED if too much waits for the room already */
  run<T>(roomId: RoomId, work: () => Promise<T>): Promise<T>
  /** How many pieces of work are there, for metrics. */
  waiting(): number
}

const WAITING_MAX = 100

export function openRoomInboxes(): RoomInboxes {
  const inboxes = new Map<RoomId, { last: Promise<unknown>; waiting: number }>()
  return {
    run: (roomId, work) => {
      const inbox = inboxes.get(roomId) ?? { last: Promise.resolve(), waiting: 0 }
      if (inbox.waiting >= WAITING_MAX) {
        return Promise.reject(
          matrixError('M_LIMIT_EXCEEDED', 'Too much arrives for this room at once. Try again in a second.', {
            extra: { retry_after_ms: 1000 },
          }),
        )
      }
      inboxes.set(roomId, inbox)
      inbox.waiting += 1
      const done = inbox.last.then(work).finally(() => {
        inbox.waiting -= 1
        if (inbox.waiting === 0) inboxes.delete(roomId)
      })
      inbox.last = done.catch(() => undefined)
      return done
    },
    waiting: () => [...inboxes.values()].reduce((sum, { waiting }) => sum + waiting, 0),
  }
}
