/** What one server sends for one room is worked off in its order: it waits for itself, and for nobody else. */
import type { RoomId, ServerName } from '@holdfast/protocol/ids/brand'
import type { RoomInboxes } from './room-inboxes.ts'

type Sent = { readonly origin: ServerName; readonly roomId: RoomId }

/** The newest piece of work of each server in each room, for each homeserver in this process. */
const lastOf = new WeakMap<RoomInboxes, Map<string, Promise<unknown>>>()

export function inTurnOfOrigin<T>(inboxes: RoomInboxes, { origin, roomId }: Sent, work: () => Promise<T>): Promise<T> {
  const last = lastOf.get(inboxes) ?? new Map<string, Promise<unknown>>()
  lastOf.set(inboxes, last)
  const name = JSON.stringify([origin, roomId])
  const done = (last.get(name) ?? Promise.resolve()).then(work)
  const ended = done.then(
    () => forget(),
    () => forget(),
  )
  last.set(name, ended)
  function forget(): void {
    if (last.get(name) === ended) last.delete(name)
  }
  return done
}
