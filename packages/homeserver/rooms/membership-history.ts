/** What became of a user in a room, backwards. */
import type { Homeserver } from '../homeserver.ts'
import type { StoredEvent } from './event-store.ts'

/** Member events looked at: who was invited and thrown out more often since they were there is read as never having been. */
const MEMBERSHIPS_MAX = 1_000

/** The member event and those it replaced, newest first. */
export async function* membershipsBack(
  deps: Pick<Homeserver, 'events'>,
  eventNid: number,
): AsyncGenerator<{ readonly event: StoredEvent; readonly membership: unknown }, void> {
  let next: number | undefined = eventNid
  for (let count = 0; next !== undefined && count < MEMBERSHIPS_MAX; count += 1) {
    const event: StoredEvent | undefined = await deps.events.byNid(next)
    if (event === undefined) return
    yield { event, membership: event.pdu.content['membership'] }
    next = event.replacesNid
  }
}
