/** A user's rooms together with the position they are true for. */
import type { Requester } from '../accounts/requester.ts'
import type { Homeserver } from '../homeserver.ts'
import type { UserMembership } from '../rooms/user-memberships.ts'

/** Rows that were read before they were published are waited for, so that no token skips them. */
export async function consistentView(
  deps: Homeserver,
  requester: Requester,
): Promise<{ readonly upTo: number; readonly memberships: ReadonlyMap<number, UserMembership> }> {
  for (;;) {
    const upTo = deps.streams.position()
    const memberships = await deps.memberships.of(requester.userNid)
    let newest = upTo
    for (const { position } of memberships.values()) newest = Math.max(newest, position)
    if (newest === upTo) return { upTo, memberships }
    await deps.streams.reached(newest)
  }
}
