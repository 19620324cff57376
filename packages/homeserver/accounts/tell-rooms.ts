/** Telling a user's rooms of a new name or avatar, in the background, one change after the other. */
import type { Homeserver } from '../homeserver.ts'
import { propagateProfile } from '../rooms/propagate-profile.ts'
import { profileTold } from '../storage/profiles.ts'
import { loadProfile } from './profile.ts'
import type { Requester } from './requester.ts'

/** A client that asks for its rooms right after the answer should see them changed, where that is quick. */
const WAIT_MS = 500

/** Resolves when the rooms were told, or after half a second; then the rest goes on in the background. */
export async function tellRooms(deps: Homeserver, requester: Requester): Promise<void> {
  const waiting = new AbortController()
  const told = tellInTurn(deps, requester)
  await Promise.race([told, deps.clock.sleep(WAIT_MS, waiting.signal).catch(() => undefined)])
  waiting.abort()
}

/** Never rejects: what fails stays marked in storage, and is tried again at the next change or start. */
function tellInTurn(deps: Homeserver, requester: Requester): Promise<void> {
  const { telling } = deps.accounts
  const before = telling.get(requester.userNid) ?? Promise.resolve()
  const told = before
    .then(() => tell(deps, requester))
    .catch((error: Error) => {
      deps.log.error({ user: requester.userId, error: error.message }, 'could not tell the rooms of a profile')
    })
    .finally(() => {
      if (telling.get(requester.userNid) === told) telling.delete(requester.userNid)
    })
  telling.set(requester.userNid, told)
  return told
}

async function tell(deps: Homeserver, requester: Requester): Promise<void> {
  const { userNid } = requester
  const { version } = await loadProfile(deps, userNid)
  await propagateProfile(deps, requester)
  await deps.db.commit([profileTold({ userNid, version })])
}
