/** An address now belongs to a user here: the invitations that waited for it are asked for. <https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv13pidonbind> */
import { MatrixError } from '@holdfast/protocol/errors'
import { parseThirdPartyExchange, type ThirdPartyExchange } from '@holdfast/protocol/federation/third-party-exchange'
import { serverNameOf } from '@holdfast/protocol/ids/common'
import type { RoomId, UserId } from '@holdfast/protocol/ids/brand'
import type { JsonObject } from '@holdfast/protocol/json/value'
import { TIME_LIMITS } from '@holdfast/protocol/limits'
import type { Homeserver } from '../../homeserver.ts'
import { ask, BadAnswer, part } from '../../federation/remote-rooms/ask.ts'
import { FederationFailed } from '../../federation/transport/federation-failed.ts'
import { inviteThirdParty, type ThirdPartyDeps } from './third-party.ts'

export type BoundInvite = { readonly roomId: RoomId; readonly sender: UserId; readonly signed: JsonObject }

type BoundDeps = ThirdPartyDeps & Pick<Homeserver, 'heads' | 'federation' | 'log'>

/** Whether it is true is for the inviter's server to find out, which has the keys of the identity service. */
export async function askForInvite(
  deps: BoundDeps,
  { mxid, ...invite }: BoundInvite & { mxid: UserId },
): Promise<void> {
  const { roomId, sender, signed } = invite
  const body = {
    type: 'm.room.member',
    room_id: roomId,
    sender,
    state_key: mxid,
    content: { membership: 'invite', third_party_invite: { display_name: '', signed } },
  }
  const exchange = parseThirdPartyExchange(body, roomId)
  if (!exchange.ok) return
  try {
    if (serverNameOf(sender) === deps.serverName) await inviteHere(deps, roomId, exchange)
    else await inviteThere(deps, roomId, { sender, body })
  } catch (error) {
    if (!(error instanceof MatrixError) && !(error instanceof FederationFailed) && !(error instanceof BadAnswer))
      throw error
    deps.log.info({ room: roomId, user: mxid, error: error.message }, 'an invitation by an address came to nothing')
  }
}

async function inviteHere(deps: BoundDeps, roomId: RoomId, exchange: ThirdPartyExchange): Promise<void> {
  const head = await deps.heads.byId(roomId)
  if (head !== undefined) await inviteThirdParty(deps, head, exchange)
}

async function inviteThere(
  { federation }: BoundDeps,
  roomId: RoomId,
  { sender, body }: { readonly sender: UserId; readonly body: JsonObject },
): Promise<void> {
  const asking = { client: federation.client, server: serverNameOf(sender), deadlineMs: TIME_LIMITS.federationQueryMs }
  await ask(asking, { method: 'PUT', path: `/_matrix/federation/v1/exchange_third_party_invite/${part(roomId)}`, body })
}
