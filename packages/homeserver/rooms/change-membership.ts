/** Changes of somebody's membership, each in the room's queue. <https://spec.matrix.org/v1.19/client-server-api/#room-membership> */
import { matrixError, MatrixError } from '@holdfast/protocol/errors'
import { serverNameOf } from '@holdfast/protocol/ids/common'
import type { RoomId, ServerName, UserId } from '@holdfast/protocol/ids/brand'
import type { JsonObject } from '@holdfast/protocol/json/value'
import { memberProfile } from '../accounts/member-profile.ts'
import type { Requester } from '../accounts/requester.ts'
import type { Homeserver } from '../homeserver.ts'
import { inviteRemoteUser } from './remote/invite-remote.ts'
import { joinRemoteRoom, type RemoteDeps } from './remote/join-remote.ts'
import { knockOnRemoteRoom } from './remote/knock-remote.ts'
import { leaveRemoteRoom } from './remote/leave-remote.ts'
import type { WireDeps } from './serve/wire-pdu.ts'
import { carrySettingsOnJoin } from './carry-settings.ts'
import { assertAdmitsGuests, GUEST_ACCESS } from './guest-access.ts'
import { voucherForJoin } from './restricted-join.ts'
import { joinedRoom, notInRoom } from './room-access.ts'
import { stateEventAt } from './current-state.ts'
import type { NewRoomEvent } from './room-draft.ts'
import { isResident, type RoomHead } from './room-heads.ts'
import { EMPTY_STATE } from './state-store.ts'

export type MembershipDeps = Pick<
  Homeserver,
  | 'roomQueue'
  | 'heads'
  | 'events'
  | 'dictionary'
  | 'memberships'
  | 'policyServers'
  | 'serverName'
  | 'clock'
  | 'db'
  | 'accounts'
  | 'streams'
> &
  RemoteDeps &
  WireDeps

export type MemberAction = {
  readonly roomId: RoomId
  readonly reason?: string | undefined
}

/** An action that may lead into a room that nobody here is in. */
export type EnteringAction = MemberAction & {
  /** Servers that may know the room. */
  readonly servers?: readonly ServerName[]
}

/** An action of the requester on another user. */
export type TargetedAction = MemberAction & { readonly target: UserId }

type Membership = 'join' | 'invite' | 'leave' | 'ban' | 'knock'

/** What an action does, given the present membership: nothing, as it is done already; or the new event. Refusals are thrown. */
type Judgement = (present: Membership | undefined) => 'already' | 'change'

export async function joinRoom(
  deps: MembershipDeps,
  requester: Requester,
  action: EnteringAction & { readonly content?: JsonObject },
): Promise<void> {
  const head = await deps.heads.byId(action.roomId)
  const content = { ...action.content, membership: 'join', ...(await memberProfile(deps, requester.userNid)) }
  const voucher = head === undefined || isElsewhere(head) ? 'elsewhere' : await voucherHere(deps, head, requester)
  if (voucher === 'elsewhere') {
    await joinRemoteRoom(deps, requester, { ...remoteAction(action), content: withReason(content, action) })
  } else if (!(await joinedElsewhere(deps, requester, { head, action, content }))) {
    const vouched = voucher === undefined ? content : { ...content, join_authorised_via_users_server: voucher }
    await change(deps, requester, { ...action, target: requester.userId }, vouched, (present) =>
      present === 'join' ? 'already' : 'change',
    )
  }
  const joined = await deps.heads.byId(action.roomId)
  if (joined !== undefined) await carrySettingsOnJoin(deps, requester, joined)
}

/**
 * A room that everybody has left, as far as is known here, may go on elsewhere: nobody told us since the last of us left. So
 * the servers that the client names are asked first, and what they say holds; where they know nothing, the room is still here.
 */
async function joinedElsewhere(
  deps: MembershipDeps,
  requester: Requester,
  {
    head,
    action,
    content,
  }: { readonly head: RoomHead | undefined; readonly action: EnteringAction; readonly content: JsonObject },
): Promise<boolean> {
  const isNamed = action.servers?.some((server) => server !== deps.serverName) === true
  if (head === undefined || isResident(head) || !isNamed) return false
  try {
    await joinRemoteRoom(deps, requester, { ...remoteAction(action), content: withReason(content, action) })
    return true
  } catch (error) {
    if (error instanceof MatrixError && (error.status === 404 || error.status >= 500)) return false
    throw error
  }
}

/** Who vouches for a join to a restricted room; `elsewhere` if only users of other servers can. */
async function voucherHere(
  deps: MembershipDeps,
  head: RoomHead,
  requester: Requester,
): Promise<UserId | undefined | 'elsewhere'> {
  try {
    return await voucherForJoin(deps, head, requester)
  } catch (error) {
    if (head.members.servers.size === 0 || !(error instanceof MatrixError)) throw error
    if (error.errcode !== 'M_UNABLE_TO_AUTHORISE_JOIN') throw error
    return 'elsewhere'
  }
}

/** Whether the room lives on other servers only. A room that everybody has left is still here. */
function isElsewhere(head: RoomHead): boolean {
  return !isResident(head) && (head.state.nid === EMPTY_STATE.nid || head.members.servers.size > 0)
}

function remoteAction({ roomId, servers = [] }: EnteringAction): Pick<Required<EnteringAction>, 'roomId' | 'servers'> {
  return { roomId, servers }
}

function withReason(content: JsonObject, { reason }: MemberAction): JsonObject {
  return reason === undefined ? content : { ...content, reason }
}

export async function knockOnRoom(deps: MembershipDeps, requester: Requester, action: EnteringAction): Promise<void> {
  const head = await deps.heads.byId(action.roomId)
  const content = { membership: 'knock', ...(await memberProfile(deps, requester.userNid)) }
  if (head === undefined || isElsewhere(head)) {
    await knockOnRemoteRoom(deps, requester, { ...remoteAction(action), content: withReason(content, action) })
    return
  }
  await change(deps, requester, { ...action, target: requester.userId }, content, () => 'change')
}

export async function leaveRoom(deps: MembershipDeps, requester: Requester, action: MemberAction): Promise<void> {
  const head = await deps.heads.byId(action.roomId)
  if (head !== undefined && isElsewhere(head)) {
    await leaveRemoteRoom(deps, requester, { head, content: withReason({ membership: 'leave' }, action) })
    return
  }
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
  // Who leaves need not wait for the rest of the room.
  if (action.target !== requester.userId || content['membership'] !== 'leave') await deps.incompleteRooms.whole(roomNid)
  const isGuestJoin = requester.isGuest && content['membership'] === 'join'
  const event: NewRoomEvent = {
    type: 'm.room.member',
    stateKey: action.target,
    sender: requester.userId,
    content: action.reason === undefined ? content : { ...content, reason: action.reason },
    originServerTs: deps.clock.nowMs(),
  }
  if (content['membership'] === 'invite' && serverNameOf(action.target) !== deps.serverName) {
    judge(await presentMembership(deps, roomNid, action.target))
    await inviteRemoteUser(deps, { roomNid, target: action.target, event, deviceNid: requester.deviceNid })
    return
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
  if (!isResident(await deps.heads.byNid(roomNid))) deps.incompleteRooms.left(roomNid)
}

async function presentMembership(
  deps: MembershipDeps,
  roomNid: number,
  userId: UserId,
): Promise<Membership | undefined> {
  const { state } = await deps.heads.byNid(roomNid)
  const event = await stateEventAt(deps, state.map, { type: 'm.room.member', stateKey: userId })
  return event?.pdu.content['membership'] as Membership | undefined
}
