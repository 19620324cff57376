/** An invitation to a user here, from another server: signed only if it is one in every respect. <https://spec.matrix.org/v1.19/server-server-api/#inviting-to-a-room> */
import { matrixError } from '@holdfast/protocol/errors'
import { signEventJson } from '@holdfast/protocol/event/sign'
import { parseUserId } from '@holdfast/protocol/ids/user-id'
import { serverNameOf } from '@holdfast/protocol/ids/common'
import type { UserId } from '@holdfast/protocol/ids/brand'
import type { JsonObject, JsonValue } from '@holdfast/protocol/json/value'
import { rulesFor, type RoomRules } from '@holdfast/protocol/room-version/rules'
import type { Homeserver } from '../../homeserver.ts'
import { accountOf } from '../../storage/accounts.ts'
import { knownEvents } from '../receive/known-events.ts'
import type { IncomingEvent } from '../receive/incoming.ts'
import { ensureRoom, setOutsideMembership, type OutsideDeps } from '../remote/outside-room.ts'
import { strippedTexts } from '../remote/stripped.ts'
import { roomAcl } from '../room-acl.ts'
import { isResident } from '../room-heads.ts'
import { checkInviteState } from './invite-state.ts'
import { assertSignedBy } from './signed-by.ts'
import { checkSigned, invalid, parseSubmission, type Submission } from './submitted-event.ts'

export type InvitedDeps = OutsideDeps &
  Pick<Homeserver, 'serverName' | 'serverKeys' | 'clock' | 'inboxes' | 'signingKey' | 'rateLimiter'>

export type Invitation = Omit<Submission, 'membership'> & {
  readonly version: string
  /** The room, as the inviter describes it. */
  readonly state: JsonValue | undefined
}

/**
 * @returns the event with our signature, as JSON text
 * @throws {MatrixError} M_INCOMPATIBLE_ROOM_VERSION, M_INVALID_PARAM, M_FORBIDDEN, M_LIMIT_EXCEEDED
 */
export async function receiveInvitation(deps: InvitedDeps, invitation: Invitation): Promise<string> {
  const { roomId, version, origin } = invitation
  const rules = rulesFor(version)
  if (rules === undefined) {
    throw matrixError('M_INCOMPATIBLE_ROOM_VERSION', `This server does not know room version ${version}.`, {
      extra: { room_version: version },
    })
  }
  const { target, incoming } = await checkInvitation(deps, rules, invitation)
  const signed = signEventJson(incoming.parsed.json, rules, deps.serverName, deps.signingKey)
  await deps.inboxes.run(roomId, async () => {
    const head = await deps.heads.byId(roomId)
    if (head !== undefined && isResident(head)) {
      if (head.rules.version !== version) throw invalid(`The room has version ${head.version}.`)
      if ((await roomAcl(deps, head)).allows(origin)) return
      throw matrixError('M_FORBIDDEN', `The room's access control list shuts ${origin} out.`)
    }
    await store(deps, rules, invitation, { target, incoming, signed })
  })
  return signed
}

async function checkInvitation(
  deps: InvitedDeps,
  rules: RoomRules,
  invitation: Invitation,
): Promise<{ readonly target: UserId; readonly incoming: IncomingEvent }> {
  const submission = { ...invitation, membership: 'invite' } as const
  const parsed = parseSubmission(rules, submission)
  const target = parsed.pdu.stateKey === undefined ? undefined : parseUserId(parsed.pdu.stateKey)
  if (target === undefined || serverNameOf(target) !== deps.serverName) {
    throw invalid(`state_key must be a user of ${deps.serverName}.`)
  }
  await assertInvitable(deps, target)
  const { origin, roomId } = invitation
  deps.rateLimiter.take(
    { limit: 'invite_per_user', key: `${origin} ${target}` },
    { limit: 'invite_per_room', key: `${origin} ${roomId}` },
  )
  const incoming = await checkSigned(deps, rules, submission)
  // An invitation by a third-party identifier needs no signature once it is in a room; this one comes from its sender.
  if (!incoming.signedBy.has(origin)) await assertSignedBy(deps, incoming.parsed, { server: origin, rules })
  await checkInviteState(deps, { roomId, rules }, invitation.state)
  return { target, incoming }
}

/** @throws {MatrixError} M_FORBIDDEN */
export async function assertInvitable(deps: Pick<Homeserver, 'db' | 'dictionary'>, target: UserId): Promise<void> {
  const userNid = await deps.dictionary.userNid(target)
  const account = userNid === undefined ? undefined : await accountOf(deps.db, userNid)
  if (account !== undefined && account.deactivated_ms === null) return
  throw matrixError('M_FORBIDDEN', `${target} does not exist, or not any more.`)
}

/** Only whoever holds the room's inbox may call it. */
async function store(
  deps: InvitedDeps,
  rules: RoomRules,
  { roomId, state }: Invitation,
  invited: { readonly target: UserId; readonly incoming: IncomingEvent; readonly signed: string },
): Promise<void> {
  const { target, incoming, signed } = invited
  const { parsed } = incoming
  const room = await ensureRoom(deps, roomId, rules)
  // Sent once more, perhaps after the user declined: an invitation counts once.
  if ((await knownEvents(deps.db, room.roomNid, [parsed.pdu.eventId])).has(parsed.pdu.eventId)) return
  const signatures = (JSON.parse(signed) as JsonObject)['signatures'] as typeof parsed.signatures
  await setOutsideMembership(deps, room, {
    userId: target,
    membership: 'invite',
    incoming: { ...incoming, parsed: { ...parsed, json: signed, signatures } },
    stripped: strippedTexts(state),
  })
}
