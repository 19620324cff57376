/** What a crash cut off, taken up again at the start. */
import type { UserId } from '@holdfast/protocol/ids/brand'
import type { Homeserver } from '../homeserver.ts'
import { resumeExpelling } from '../rooms/guest-leaves.ts'
import { untoldUsers } from '../storage/profiles.ts'
import { finishDepartures, withoutDevice } from './end-account.ts'
import { tellRooms } from './tell-rooms.ts'

/** Deactivated users leave their rooms, guests those that are closed to them, and rooms are told of new names and avatars. */
export async function resumeAccounts(deps: Homeserver): Promise<void> {
  await finishDepartures(deps)
  await resumeExpelling(deps)
  for (const { user_nid: userNid, user_id: userId } of await untoldUsers(deps.db)) {
    await tellRooms(deps, withoutDevice({ userNid, userId: userId as UserId }))
  }
}
