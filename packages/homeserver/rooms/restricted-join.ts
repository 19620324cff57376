/** Who vouches for a join to a restricted room. <https://spec.matrix.org/v1.19/client-server-api/#restricted-rooms> */
import { creatorsAboveAll } from '@holdfast/protocol/auth/auth-state'
import { objectAt } from '@holdfast/protocol/auth/level'
import { powerLevels } from '@holdfast/protocol/auth/power-levels'
import { matrixError } from '@holdfast/protocol/errors'
import { serverNameOf } from '@holdfast/protocol/ids/common'
import { parseRoomId } from '@holdfast/protocol/ids/room-id'
import { parseUserId } from '@holdfast/protocol/ids/user-id'
import type { UserId } from '@holdfast/protocol/ids/brand'
import { isObject, type JsonValue } from '@holdfast/protocol/json/value'
import type { Requester } from '../accounts/requester.ts'
import type { Homeserver } from '../homeserver.ts'
import { authStateAt, stateEventAt } from './current-state.ts'
import type { RoomHead } from './room-heads.ts'

type JoinDeps = VoucherDeps & Pick<Homeserver, 'memberships'>

export type VoucherDeps = Pick<Homeserver, 'dictionary' | 'events' | 'heads' | 'serverName'>

/** Joined members tried as voucher where everybody may invite. */
const VOUCHERS_TRIED_MAX = 100

/**
 * The local member to name in `join_authorised_via_users_server`; undefined if the join needs none.
 * @throws {MatrixError} M_FORBIDDEN if the requester meets no condition, M_UNABLE_TO_AUTHORISE_JOIN if nobody here can vouch
 */
export async function voucherForJoin(
  deps: JoinDeps,
  head: RoomHead,
  requester: Requester,
): Promise<UserId | undefined> {
  if (!head.rules.restrictedJoins) return undefined
  const joinRules = await stateEventAt(deps, head.state.map, { type: 'm.room.join_rules', stateKey: '' })
  const rule = joinRules?.pdu.content['join_rule']
  if (rule !== 'restricted' && !(rule === 'knock_restricted' && head.rules.knockRestricted)) return undefined
  const { joined, invited } = head.members
  if (joined.has(requester.userNid) || invited.has(requester.userNid)) return undefined
  if (!(await meetsACondition(deps, joinRules?.pdu.content['allow'], requester))) {
    throw matrixError('M_FORBIDDEN', 'You are in none of the rooms whose members may join this one.')
  }
  const voucher = await findVoucher(deps, head)
  if (voucher === undefined) {
    throw matrixError(
      'M_UNABLE_TO_AUTHORISE_JOIN',
      'Nobody on this server may invite to this room, so none can vouch for you.',
    )
  }
  return voucher
}

async function meetsACondition(deps: JoinDeps, allow: JsonValue | undefined, requester: Requester): Promise<boolean> {
  if (!Array.isArray(allow)) return false
  const mine = await deps.memberships.of(requester.userNid)
  for (const condition of allow as readonly JsonValue[]) {
    if (!isObject(condition) || condition['type'] !== 'm.room_membership') continue
    const roomId = typeof condition['room_id'] === 'string' ? parseRoomId(condition['room_id']) : undefined
    const roomNid = roomId === undefined ? undefined : await deps.heads.roomNid(roomId)
    if (roomNid !== undefined && mine.get(roomNid)?.membership === 'join') return true
  }
  return false
}

/** A member here who may invite. */
export async function findVoucher(deps: VoucherDeps, head: RoomHead): Promise<UserId | undefined> {
  const state = await authStateAt(deps, head.state.map, [
    { type: 'm.room.create', stateKey: '' },
    { type: 'm.room.power_levels', stateKey: '' },
  ])
  const levels = powerLevels(head.rules, state)
  const create = state.get('m.room.create', '')
  const named = Object.keys(objectAt(state.get('m.room.power_levels', '')?.content ?? {}, 'users') ?? {})
  const creators = create === undefined ? [] : creatorsAboveAll(head.rules, create)
  const some = [...head.members.joined.values().take(VOUCHERS_TRIED_MAX)]
  for (const candidate of [...creators, ...named, ...(await deps.dictionary.userIds(some))]) {
    const userId = parseUserId(candidate)
    if (userId === undefined || serverNameOf(userId) !== deps.serverName || levels.ofUser(userId) < levels.invite)
      continue
    const userNid = await deps.dictionary.userNid(userId)
    if (userNid !== undefined && head.members.joined.has(userNid)) return userId
  }
  return undefined
}
