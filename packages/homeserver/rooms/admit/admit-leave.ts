/** A user of another server leaves, declines an invitation, or withdraws a knock. <https://spec.matrix.org/v1.19/server-server-api/#leaving-rooms-rejecting-invites> */
import { requireAdmittingRoom } from './admitting-room.ts'
import type { AdmitDeps } from './admit-join.ts'
import { admitMember } from './admit-member.ts'
import { checkSubmission, type Submission } from './submitted-event.ts'

/** @throws {MatrixError} M_NOT_FOUND, M_FORBIDDEN, M_INVALID_PARAM */
export async function admitLeave(deps: AdmitDeps, submission: Submission): Promise<void> {
  const { origin, roomId } = submission
  const { rules } = await requireAdmittingRoom(deps, origin, roomId)
  const incoming = await checkSubmission(deps, rules, submission)
  await deps.inboxes.run(roomId, async () => {
    await admitMember(deps, await requireAdmittingRoom(deps, origin, roomId), incoming)
  })
}
