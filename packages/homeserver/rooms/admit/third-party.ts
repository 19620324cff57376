/** Invitations by e-mail address or phone number, once an identity service says whose it is. <https://spec.matrix.org/v1.19/server-server-api/#third-party-invites> */
import { own } from '@holdfast/protocol/auth/auth-state'
import { signedPart } from '@holdfast/protocol/auth/third-party-invite'
import { matrixError, MatrixError } from '@holdfast/protocol/errors'
import {
  thirdPartyInviteContent,
  thirdPartyKeyInUse,
  type ThirdPartyExchange,
} from '@holdfast/protocol/federation/third-party-exchange'
import { serverNameOf } from '@holdfast/protocol/ids/common'
import type { Homeserver } from '../../homeserver.ts'
import { stateEventAt } from '../current-state.ts'
import type { StoredEvent } from '../event-store.ts'
import { membershipsBack } from '../membership-history.ts'
import { inviteRemoteUser, type InviteDeps } from '../remote/invite-remote.ts'
import type { NewRoomEvent } from '../room-draft.ts'
import { isResident, type RoomHead } from '../room-heads.ts'
import { isKeyGood } from './third-party-key.ts'

export type ThirdPartyDeps = InviteDeps & Pick<Homeserver, 'http'>

/**
 * Invites the user whom the identity service names, in the name of our user who invited the address.
 * @throws {MatrixError} M_FORBIDDEN
 */
export async function inviteThirdParty(
  deps: ThirdPartyDeps,
  head: RoomHead,
  exchange: ThirdPartyExchange,
): Promise<void> {
  const { sender, target, token, signed } = exchange
  if (serverNameOf(sender) !== deps.serverName) throw refused(`${sender} is no user of ${deps.serverName}.`)
  const invite = await stateEventAt(deps, head.state.map, { type: 'm.room.third_party_invite', stateKey: token })
  if (invite === undefined) throw refused('There is no such invitation in the room.')
  const { content } = invite.pdu
  const key = thirdPartyKeyInUse(signed, content)
  if (key === undefined) throw refused('The invitation is taken back, or was not signed with its keys.')
  if ((await presentState(deps, head, exchange)) === 'done') return
  if (!(await isKeyGood(deps, key))) throw refused('The identity service does not say that its key is good.')
  const event: NewRoomEvent = {
    type: 'm.room.member',
    stateKey: target,
    sender,
    content: thirdPartyInviteContent(signed, content),
    originServerTs: deps.clock.nowMs(),
  }
  if (serverNameOf(target) === deps.serverName) await inviteHere(deps, head, event)
  else await inviteThere(deps, { roomNid: head.roomNid, target, event })
}

/** One invitation by an address makes one invitation of a user: who was thrown out does not come back by showing it again. */
async function presentState(
  deps: ThirdPartyDeps,
  head: RoomHead,
  { target, token }: ThirdPartyExchange,
): Promise<'new' | 'done'> {
  const member = await stateEventAt(deps, head.state.map, { type: 'm.room.member', stateKey: target })
  if (member === undefined) return 'new'
  const present = member.pdu.content['membership']
  if (present === 'invite' || present === 'join') return 'done'
  for await (const { event } of membershipsBack(deps, member.nid)) {
    if (tokenOf(event) === token) throw refused('The invitation has been used.')
  }
  return 'new'
}

function tokenOf({ pdu }: StoredEvent): unknown {
  const signed = signedPart(pdu.content)
  return signed === undefined ? undefined : own(signed, 'token')
}

async function inviteHere(deps: ThirdPartyDeps, head: RoomHead, event: NewRoomEvent): Promise<void> {
  if (!isResident(head)) throw refused('Nobody of this server is in the room.')
  await deps.roomQueue.run(head.roomNid, {
    prepare: () => ({ events: [event] }),
    decide: (draft) => draft.add(event),
  })
}

async function inviteThere(deps: ThirdPartyDeps, invite: Parameters<typeof inviteRemoteUser>[1]): Promise<void> {
  try {
    await inviteRemoteUser(deps, invite)
  } catch (error) {
    // That the invited server did not sign is its own doing, and no failure of this one.
    if (error instanceof MatrixError && error.status >= 500) throw refused(error.message)
    throw error
  }
}

function refused(message: string): MatrixError {
  return matrixError('M_FORBIDDEN', message)
}
