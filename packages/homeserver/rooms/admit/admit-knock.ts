/** A user of another server knocks at a room. <https://spec.matrix.org/v1.19/server-server-api/#knocking-rooms> */
import { requireAdmittingRoom } from './admitting-room.ts'
import type { AdmitDeps } from './admit-join.ts'
import { admitMember } from './admit-member.ts'
import { describingPdus } from './describe-room.ts'
import { checkSubmission, type Submission } from './submitted-event.ts'

/**
 * @returns JSON text: what the user may know of the room
 * @throws {MatrixError} M_NOT_FOUND, M_FORBIDDEN, M_INVALID_PARAM
 */
export async function admitKnock(deps: AdmitDeps, submission: Submission): Promise<string> {
  const { origin, roomId } = submission
  const { rules } = await requireAdmittingRoom(deps, origin, roomId)
  const incoming = await checkSubmission(deps, rules, submission)
  return deps.inboxes.run(roomId, async () => {
    const head = await requireAdmittingRoom(deps, origin, roomId)
    await admitMember(deps, head, incoming)
    return `{"knock_room_state":[${(await describingPdus(deps, head)).join(',')}]}`
  })
}
