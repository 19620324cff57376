/** What a sync says of the presence of its user, and that it wants to hear of others'. */
import type { Requester } from '../accounts/requester.ts'
import type { Homeserver } from '../homeserver.ts'
import type { PresenceState } from '../storage/presence.ts'

export type SyncPresence = {
  /** `set_presence`; who says nothing is online. */
  readonly setPresence: PresenceState | undefined
  /** Whether the answer may hold presence: if not, no change of it wakes the sync. */
  readonly showsPresence: boolean
}

/** Dispose of the answer when the sync ends. */
export async function noteSyncPresence(
  deps: Pick<Homeserver, 'presence' | 'presenceWaker'>,
  requester: Requester,
  { setPresence, showsPresence }: SyncPresence,
): Promise<Disposable> {
  const notes = new DisposableStack()
  notes.use(await deps.presence.syncing(requester, setPresence ?? 'online'))
  if (showsPresence && deps.presence.isEnabled) notes.use(deps.presenceWaker.waiting(requester.userNid))
  return notes
}
