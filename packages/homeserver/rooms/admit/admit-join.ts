/** A user of another server joins: the event is taken in, and its server is told the room. <https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv2send_joinroomideventid> */
import { authorisingServerOf } from '@holdfast/protocol/auth/membership'
import { parsePdu } from '@holdfast/protocol/event/format'
import { signEventJson } from '@holdfast/protocol/event/sign'
import { parseUserId } from '@holdfast/protocol/ids/user-id'
import type { UserId } from '@holdfast/protocol/ids/brand'
import type { JsonObject } from '@holdfast/protocol/json/value'
import type { Homeserver } from '../../homeserver.ts'
import type { AcceptDeps } from '../receive/accept-events.ts'
import type { IncomingEvent } from '../receive/incoming.ts'
import type { RoomHead } from '../room-heads.ts'
import type { StateDeps } from '../serve/served-state.ts'
import { requireAdmittingRoom } from './admitting-room.ts'
import { admitMember } from './admit-member.ts'
import { joinAnswer } from './join-answer.ts'
import { checkSubmission, type Submission } from './submitted-event.ts'
import { assertMayVouch, type VoucherDeps } from './voucher.ts'

export type AdmitDeps = AcceptDeps &
  StateDeps &
  VoucherDeps &
  Pick<Homeserver, 'serverKeys' | 'clock' | 'inboxes' | 'policyServers' | 'signingKey' | 'incompleteRooms'>

/**
 * @returns JSON text
 * @throws {MatrixError} M_NOT_FOUND, M_FORBIDDEN, M_INVALID_PARAM, M_UNABLE_TO_AUTHORISE_JOIN, M_UNABLE_TO_GRANT_JOIN
 */
export async function admitJoin(
  deps: AdmitDeps,
  submission: Submission,
  { omitMembers }: { readonly omitMembers: boolean },
): Promise<string> {
  const { origin, roomId } = submission
  const { rules } = await requireAdmittingRoom(deps, origin, roomId)
  const checked = await checkSubmission(deps, rules, submission)
  const admitted = await deps.inboxes.run(roomId, async () => {
    // It waited: the room may have shut the server out, or be empty by now.
    const before = await requireAdmittingRoom(deps, origin, roomId)
    const servers = [...new Set([deps.serverName, ...before.members.servers.keys()])]
    const incoming = await vouchedFor(deps, before, checked)
    const event = await admitMember(deps, before, incoming)
    const head = await deps.heads.byNid(before.roomNid)
    return { head, event, servers, isVouched: incoming !== checked }
  })
  // Telling a large room takes a while, and what arrives for it need not wait.
  return joinAnswer(deps, { origin, ...admitted }, { ...admitted, omitMembers })
}

/** With our signature, where a user of ours is named in it. */
async function vouchedFor(deps: AdmitDeps, head: RoomHead, incoming: IncomingEvent): Promise<IncomingEvent> {
  const { rules } = head
  const { pdu, json } = incoming.parsed
  if (authorisingServerOf(rules, pdu) !== deps.serverName) return incoming
  const voucher = parseUserId(pdu.content['join_authorised_via_users_server'] as string) as UserId
  await assertMayVouch(deps, head, { userId: pdu.sender, voucher })
  const signed = signEventJson(json, rules, deps.serverName, deps.signingKey)
  const parsed = parsePdu(JSON.parse(signed) as JsonObject, rules)
  if (!parsed.ok) throw new Error(`an event that this server signed is malformed: ${parsed.message}`)
  return { parsed, signedBy: new Set([...incoming.signedBy, deps.serverName]) }
}
