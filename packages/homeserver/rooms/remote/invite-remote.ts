/** Inviting somebody of another server, who has to sign the invitation too. <https://spec.matrix.org/v1.19/server-server-api/#inviting-to-a-room> */
import { MatrixError, matrixError } from '@holdfast/protocol/errors'
import { signEventJson } from '@holdfast/protocol/event/sign'
import { serverNameOf } from '@holdfast/protocol/ids/common'
import type { ServerName, UserId } from '@holdfast/protocol/ids/brand'
import { isObject, type JsonObject } from '@holdfast/protocol/json/value'
import { TIME_LIMITS } from '@holdfast/protocol/limits'
import { POLICY_KEY_ID } from '@holdfast/protocol/receipt/policy-server'
import type { Homeserver } from '../../homeserver.ts'
import { policySigned } from '../../federation/policy/sign-sent.ts'
import { withSignaturesOf } from '../../federation/policy/with-signature.ts'
import { ask, isUnknownEndpoint, part, type Asking } from '../../federation/remote-rooms/ask.ts'
import { describingPdus } from '../admit/describe-room.ts'
import { draftUnsent } from '../draft-unsent.ts'
import { acceptEvents } from '../receive/accept-events.ts'
import { checkIncoming } from '../receive/check-incoming.ts'
import type { IncomingEvent } from '../receive/incoming.ts'
import type { NewRoomEvent } from '../room-draft.ts'
import type { RoomHead } from '../room-heads.ts'
import type { WireDeps } from '../serve/wire-pdu.ts'
import type { RemoteDeps } from './join-remote.ts'
import { strippedTexts } from './stripped.ts'
import { ownIncoming } from './templates.ts'
import { tryServers } from './try-servers.ts'

export type InviteDeps = RemoteDeps & WireDeps & Pick<Homeserver, 'policyServers' | 'roomQueue'>

/**
 * Sends the invitation to the user's server, and then into the room.
 * @throws {MatrixError} by the authorisation rules, or what the other server said: M_FORBIDDEN, M_UNSUPPORTED_ROOM_VERSION, ...
 */
export async function inviteRemoteUser(
  deps: InviteDeps,
  room: {
    readonly roomNid: number
    readonly target: UserId
    readonly event: NewRoomEvent
    readonly deviceNid?: number
  },
): Promise<void> {
  const { event: draft, head } = await draftUnsent(deps, room.roomNid, room.event)
  const { rules } = head
  const json = signEventJson(draft.json, rules, deps.serverName, deps.signingKey)
  const ours = await policySigned(deps, head, ownIncoming(deps, rules, json))
  const signed = await tryServers([serverNameOf(room.target)], async (server) => {
    const asking: Asking = {
      client: deps.federation.client,
      server,
      urgent: true,
      deadlineMs: TIME_LIMITS.federationQueryMs,
    }
    const answer = await sendInvite(asking, head, {
      eventId: draft.pdu.eventId,
      event: JSON.parse(ours.parsed.json) as JsonObject,
      state: await inviteState(deps, head, room.event.sender),
    })
    const event = answer['event']
    const { incoming } = await checkIncoming(deps, head, { values: isObject(event) ? [{ value: event }] : [] })
    const own = incoming.find(({ parsed }) => parsed.pdu.eventId === draft.pdu.eventId)
    if (own === undefined || !isSignedBy(own, server)) {
      throw matrixError('M_UNKNOWN', `${server} did not sign the invitation. Try again later.`, { status: 502 })
    }
    return withSignaturesOf(own, rules, ours)
  }).catch((error: Error) => {
    throw asInviteError(error)
  })
  const { deviceNid } = room
  const transaction = deviceNid === undefined ? {} : { transaction: { deviceNid, transactionId: undefined } }
  const arrivals = [{ incoming: signed, isOurs: true, ...transaction }]
  const [acceptance] = await acceptEvents(deps, head, { arrivals, time: 'present' })
  if (acceptance!.outcome === 'accepted' || acceptance!.outcome === 'known') return
  throw matrixError('M_FORBIDDEN', 'The room changed meanwhile, and does not admit the invitation any more.')
}

/** Who invites hears of it by another code than who joins. <https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidinvite> */
function asInviteError(error: Error): Error {
  if (!(error instanceof MatrixError) || error.errcode !== 'M_INCOMPATIBLE_ROOM_VERSION') return error
  return matrixError('M_UNSUPPORTED_ROOM_VERSION', error.message)
}

/** Also where that is the policy server of the room, which has signed before: then with a second key. */
function isSignedBy({ parsed }: IncomingEvent, server: ServerName): boolean {
  return Object.keys(parsed.signatures[server] ?? {}).some((keyId) => keyId !== POLICY_KEY_ID)
}

async function sendInvite(
  asking: Asking,
  { roomId, version }: RoomHead,
  invite: { readonly eventId: string; readonly event: JsonObject; readonly state: readonly JsonObject[] },
): Promise<JsonObject> {
  const target = `${part(roomId)}/${part(invite.eventId)}`
  try {
    const body = { room_version: version, event: invite.event, invite_room_state: invite.state }
    return await ask(asking, { method: 'PUT', path: `/_matrix/federation/v2/invite/${target}`, body })
  } catch (error) {
    if (!isUnknownEndpoint(error) || (version !== '1' && version !== '2')) throw error
    const stripped = strippedTexts(invite.state).map((text) => JSON.parse(text) as JsonObject)
    const body = { ...invite.event, unsigned: { invite_room_state: stripped } }
    return ask(asking, { method: 'PUT', path: `/_matrix/federation/v1/invite/${target}`, body })
  }
}

async function inviteState(deps: InviteDeps, head: RoomHead, sender: UserId): Promise<readonly JsonObject[]> {
  const texts = await describingPdus(deps, head, [{ type: 'm.room.member', stateKey: sender }])
  return texts.map((text) => JSON.parse(text) as JsonObject)
}
