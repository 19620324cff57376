/** Invitations by e-mail address or phone number. <https://spec.matrix.org/v1.19/server-server-api/#third-party-invites> */
import * as thirdParty from '@holdfast/api/generated/server-server/third_party_invite'
import { matrixError } from '@holdfast/protocol/errors'
import { parseThirdPartyExchange } from '@holdfast/protocol/federation/third-party-exchange'
import { serverNameOf } from '@holdfast/protocol/ids/common'
import { requireAdmittingRoom } from '../rooms/admit/admitting-room.ts'
import { assertInvitable } from '../rooms/admit/invitation.ts'
import { inviteThirdParty } from '../rooms/admit/third-party.ts'
import { askForInvite } from '../rooms/admit/third-party-bound.ts'
import { federationRoute, openRoute } from './route.ts'

/** PUT /_matrix/federation/v1/exchange_third_party_invite/{roomId} */
export const exchangeThirdPartyInvite = federationRoute(
  thirdParty.exchangeThirdPartyInvite,
  async ({ deps, origin, params, body }) => {
    const head = await requireAdmittingRoom(deps, origin, params.roomId)
    const exchange = parseThirdPartyExchange(body, params.roomId)
    if (!exchange.ok) throw matrixError('M_INVALID_PARAM', exchange.message)
    if (serverNameOf(exchange.target) !== origin) {
      throw matrixError('M_FORBIDDEN', `${exchange.target} is no user of ${origin}.`)
    }
    deps.rateLimiter.take({ limit: 'invite_per_user', key: `${origin} ${exchange.target}` })
    await inviteThirdParty(deps, head, exchange)
    return {}
  },
)

/** Asked for by one request, of which each costs a request to another server. */
const INVITES_MAX = 20

/** PUT /_matrix/federation/v1/3pid/onbind */
export const onBindThirdPartyIdentifier = openRoute(thirdParty.onBindThirdPartyIdentifier, async ({ deps, body }) => {
  const { mxid, invites } = body
  if (serverNameOf(mxid) !== deps.serverName) {
    throw matrixError('M_INVALID_PARAM', `${mxid} is no user of ${deps.serverName}.`)
  }
  await assertInvitable(deps, mxid)
  // Anybody may say that an address was bound.
  deps.rateLimiter.take({ limit: 'invite_per_user', key: `bound ${mxid}` })
  const own = invites.filter((invite) => invite.mxid === mxid).slice(0, INVITES_MAX)
  const asked = own.map(({ room_id: roomId, sender, signed }) => askForInvite(deps, { roomId, sender, mxid, signed }))
  await Promise.all(asked)
  return {}
})
