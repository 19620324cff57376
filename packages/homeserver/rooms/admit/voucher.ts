/** Vouching for users of other servers who join restricted rooms. <https://spec.matrix.org/v1.19/server-server-api/#restricted-rooms> */
import { powerLevels } from '@holdfast/protocol/auth/power-levels'
import { matrixError } from '@holdfast/protocol/errors'
import { parseRoomId } from '@holdfast/protocol/ids/room-id'
import type { UserId } from '@holdfast/protocol/ids/brand'
import { isObject, type JsonValue } from '@holdfast/protocol/json/value'
import { authStateAt, stateEventAt } from '../current-state.ts'
import { findVoucher, type VoucherDeps } from '../restricted-join.ts'
import { isResident, type RoomHead } from '../room-heads.ts'

export type { VoucherDeps } from '../restricted-join.ts'

/**
 * The user here to name in the template; undefined if the join needs none.
 * @throws {MatrixError} M_FORBIDDEN, M_UNABLE_TO_AUTHORISE_JOIN, M_UNABLE_TO_GRANT_JOIN
 */
export async function voucherForRemoteJoin(
  deps: VoucherDeps,
  head: RoomHead,
  userId: UserId,
): Promise<UserId | undefined> {
  if (await joinsWithout(deps, head, userId)) return undefined
  await assertMeetsCondition(deps, head, userId)
  const voucher = await findVoucher(deps, head)
  if (voucher !== undefined) return voucher
  throw matrixError('M_UNABLE_TO_GRANT_JOIN', 'Nobody on this server may invite to this room; ask another server.')
}

/**
 * Before we sign a join for which a user of ours is named: that user may invite, and whoever joins fulfils a condition now.
 * @throws {MatrixError} as `voucherForRemoteJoin`
 */
export async function assertMayVouch(
  deps: VoucherDeps,
  head: RoomHead,
  { userId, voucher }: { readonly userId: UserId; readonly voucher: UserId },
): Promise<void> {
  if (!(await joinsWithout(deps, head, userId))) await assertMeetsCondition(deps, head, userId)
  const voucherNid = await deps.dictionary.userNid(voucher)
  const state = await authStateAt(deps, head.state.map, [
    { type: 'm.room.create', stateKey: '' },
    { type: 'm.room.power_levels', stateKey: '' },
  ])
  const levels = powerLevels(head.rules, state)
  const isMember = voucherNid !== undefined && head.members.joined.has(voucherNid)
  if (isMember && levels.ofUser(voucher) >= levels.invite) return
  throw matrixError('M_UNABLE_TO_GRANT_JOIN', `${voucher} may not invite to this room, and so cannot vouch.`)
}

/** Whether nobody has to vouch: the room is not restricted, or the user is in it or invited already. */
async function joinsWithout(deps: VoucherDeps, head: RoomHead, userId: UserId): Promise<boolean> {
  if (!head.rules.restrictedJoins) return true
  const rule = (await joinRules(deps, head))?.['join_rule']
  if (rule !== 'restricted' && !(rule === 'knock_restricted' && head.rules.knockRestricted)) return true
  const userNid = await deps.dictionary.userNid(userId)
  return userNid !== undefined && (head.members.joined.has(userNid) || head.members.invited.has(userNid))
}

async function joinRules(deps: VoucherDeps, head: RoomHead): Promise<Readonly<Record<string, JsonValue>> | undefined> {
  return (await stateEventAt(deps, head.state.map, { type: 'm.room.join_rules', stateKey: '' }))?.pdu.content
}

/** Who is banned is refused by the rules for the event itself. */
async function assertMeetsCondition(deps: VoucherDeps, head: RoomHead, userId: UserId): Promise<void> {
  const allow = (await joinRules(deps, head))?.['allow']
  const userNid = await deps.dictionary.userNid(userId)
  let isUnknown = false
  for (const condition of Array.isArray(allow) ? (allow as readonly JsonValue[]) : []) {
    if (!isObject(condition) || condition['type'] !== 'm.room_membership') continue
    const roomId = typeof condition['room_id'] === 'string' ? parseRoomId(condition['room_id']) : undefined
    if (roomId === undefined) continue
    const other = await deps.heads.byId(roomId)
    if (other === undefined || !isResident(other)) isUnknown = true
    else if (userNid !== undefined && other.members.joined.has(userNid)) return
  }
  if (isUnknown) {
    throw matrixError('M_UNABLE_TO_AUTHORISE_JOIN', 'This server is not in all the rooms whose members may join.')
  }
  throw matrixError('M_FORBIDDEN', 'The user is in none of the rooms whose members may join this one.')
}
