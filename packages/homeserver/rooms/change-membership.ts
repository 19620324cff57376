/** Changes of somebody's membership, each in the room's queue. <https://spec.matrix.org/v1.19/client-server-api/#room-membership> */
import { matrixError } from '@holdfast/protocol/errors'
import { serverNameOf } from '@holdfast/protocol/ids/common'
import type { RoomId, UserId } from '@holdfast/protocol/ids/brand'
import type { JsonObject } from '@holdfast/protocol/json/value'
import { memberProfile } from '../accounts/member-profile.ts'
import type { Requester } from '../accounts/requester.ts'
import type { Homeserver } from '../homeserver.ts'
import { carrySettingsOnJoin } from './carry-settings.ts'
import { assertAdmitsGuests, GUEST_ACCESS } from './guest-access.ts'
import { voucherForJoin } from './restricted-join.ts'
import { joinedRoom, notInRoom } from './room-access.ts'
import type { NewRoomEvent } from './room-draft.ts'

export type MembershipDeps = Pick<
  Homeserver,
  | 'roomQueue'
  | 'heads'
  | 'events'
  | 'dictionary'
  | 'memberships'
  | 'serverName'
  | 'clock'
  | 'db'
  | 'accounts'
  | 'streams'
>

export type MemberAction = {
  readonly roomId: RoomId
  readonly reason?: string | undefined
}

/** An action of the requester on another user. */
export type TargetedAction = MemberAction & { readonly target: UserId }

type Membership = 'join' | 'invite' | 'leave' | 'ban' | 'knock'

/** What an action does, given the present membership: nothing, as it is done already; or the new event. Refusals are thrown. */
type Judgement = (present: Membership | undefined) => 'already' | 'change'

export async function joinRoom(
  deps: MembershipDeps,
  requester: Requester,
  action: MemberAction & { readonly content?: JsonObject },
): Promise<void> {
  const head = await deps.heads.byId(action.roomId)
  if (head === undefined) throw matrixError('M_NOT_FOUND', 'No room with this id is known here.')
  const voucher = await voucherForJoin(deps, head, requester)
  const content = {
    ...action.content,
    membership: 'join',
    ...(await memberProfile(deps, requester.userNid)),
    ...(voucher === undefined ? {} : { join_authorised_via_users_server: voucher }),
  }
  await change(deps, requester, { ...action, target: requester.userId }, content, (present) =>
    present === 'join' ? 'already' : 'change',
  )
  await carrySettingsOnJoin(deps, requester, head)
}

export async function knockOnRoom(deps: MembershipDeps, requester: Requester, action: MemberAction): Promise<void> {
  if ((await deps.heads.roomNid(action.roomId)) === undefined) {
    throw matrixError('M_NOT_FOUND', 'No room with this id is known here.')
  }
  const content = { membership: 'knock', ...(await memberProfile(deps, requester.userNid)) }
  await change(deps, requester, { ...action, target: requester.userId }, content, () => 'change')
}

export async function leaveRoom(deps: MembershipDeps, requester: Requester, action: MemberAction): Promise<void> {
  await change(deps, requester, { ...action, target: requester.userId }, { membership: 'leave' }, (present) => {
    if (present === undefined || present === 'ban') throw notInRoom()
    return present === 'leave' ? 'already' : 'change'
  })
}

export async function inviteToRoom(
  deps: MembershipDeps,
  requester: Requester,
  action: TargetedAction & { readonly isDirect?: boolean },
): Promise<void> {
  const { target } = action
  const isLocal = serverNameOf(target) === deps.serverName
  const profile = isLocal ? await memberProfile(deps, await deps.dictionary.internUser(target)) : {}
  const content = { membership: 'invite', ...(action.isDirect === true ? { is_direct: true } : {}), ...profile }
  await change(deps, requester, action, content, (present) => {
    if (present === 'join') throw matrixError('M_FORBIDDEN', `${target} is in the room already.`)
    if (present === 'ban') throw matrixError('M_FORBIDDEN', `${target} is banned from the room.`)
    return 'change'
  })
}

export async function kickFromRoom(deps: MembershipDeps, requester: Requester, action: TargetedAction): Promise<void> {
  await change(deps, requester, action, { membership: 'leave' }, (present) => {
    if (present === undefined || present === 'leave' || present === 'ban') {
      throw matrixError('M_FORBIDDEN', `${action.target} is not in the room.`)
    }
    return 'change'
  })
}

export async function banFromRoom(deps: MembershipDeps, requester: Requester, action: TargetedAction): Promise<void> {
  await change(deps, requester, action, { membership: 'ban' }, (present) => (present === 'ban' ? 'already' : 'change'))
}

export async function unbanFromRoom(deps: MembershipDeps, requester: Requester, action: TargetedAction): Promise<void> {
  await change(deps, requester, action, { membership: 'leave' }, (present) => {
    if (present !== 'ban') throw matrixError('M_BAD_STATE', `${action.target} is not banned from the room.`)
    return 'change'
  })
}

async function change(
  deps: MembershipDeps,
  requester: Requester,
  action: TargetedAction,
  content: JsonObject,
  judge: Judgement,
): Promise<void> {
  const roomNid = await deps.heads.roomNid(action.roomId)
  if (roomNid === undefined) throw notInRoom()
  if (action.target !== requester.userId) await joinedRoom(deps, { userNid: requester.userNid, roomId: action.roomId })
  const isGuestJoin = requester.isGuest && content['membership'] === 'join'
  const event: NewRoomEvent = {
    type: 'm.room.member',
    stateKey: action.target,
    sender: requester.userId,
    content: action.reason === undefined ? content : { ...content, reason: action.reason },
    originServerTs: deps.clock.nowMs(),
  }
  await deps.roomQueue.run(roomNid, {
    prepare: () => ({ events: [event], reads: isGuestJoin ? [GUEST_ACCESS] : [] }),
    decide: (draft) => {
      const present = draft.stateEvent({ type: 'm.room.member', stateKey: action.target })
      if (judge(present?.pdu.content['membership'] as Membership | undefined) === 'already') return
      if (isGuestJoin) assertAdmitsGuests(draft)
      draft.add(event, { deviceNid: requester.deviceNid, transactionId: undefined })
    },
  })
}
