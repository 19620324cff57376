/** Whether a user is in a room, could join it, or may look into it. <https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1roomsroomidhierarchy> */
import type { RoomId } from '@holdfast/protocol/ids/brand'
import { parseMembership } from '@holdfast/protocol/visibility/history-visibility'
import type { Requester } from '../accounts/requester.ts'
import type { Homeserver } from '../homeserver.ts'
import { stateEventAt } from '../rooms/current-state.ts'
import type { RoomHead } from '../rooms/room-heads.ts'
import type { RemoteSummary } from './remote-space.ts'
import { allowedRooms, contentAt } from './room-summary.ts'

type AccessDeps = Pick<Homeserver, 'heads' | 'events' | 'dictionary' | 'memberships'>

export async function userCouldEnter(deps: AccessDeps, head: RoomHead, user: Requester): Promise<boolean> {
  const { joined, invited } = head.members
  if (joined.has(user.userNid) || invited.has(user.userNid) || (await isWorldReadable(deps, head))) return true
  const member = await stateEventAt(deps, head.state.map, { type: 'm.room.member', stateKey: user.userId })
  if (parseMembership(member?.pdu.content) === 'ban') return false
  return (await hasOpenRule(deps, head)) || isInOneOf(deps, await allowedRooms(deps, head), user)
}

/** What whoever asks may be shown, with or without an account. */
export async function anybodyCouldEnter(deps: AccessDeps, head: RoomHead): Promise<boolean> {
  return (await isWorldReadable(deps, head)) || hasOpenRule(deps, head)
}

async function isWorldReadable(deps: AccessDeps, head: RoomHead): Promise<boolean> {
  return (await contentAt(deps, head, 'm.room.history_visibility'))['history_visibility'] === 'world_readable'
}

async function hasOpenRule(deps: AccessDeps, head: RoomHead): Promise<boolean> {
  const { join_rule: rule } = await contentAt(deps, head, 'm.room.join_rules')
  const { knocking, knockRestricted } = head.rules
  return rule === 'public' || (rule === 'knock' && knocking) || (rule === 'knock_restricted' && knockRestricted)
}

/** The room is not here, so that its server's word counts, and what the user was told. */
export async function userCouldEnterRemote(deps: AccessDeps, room: RemoteSummary, user: Requester): Promise<boolean> {
  const { join_rule: rule = 'public' } = room
  if (room.world_readable || OPEN_RULES.has(rule)) return true
  if ((await membershipIn(deps, room.room_id as RoomId, user)) === 'invite') return true
  return rule === 'restricted' && isInOneOf(deps, room.allowed_room_ids ?? [], user)
}

const OPEN_RULES: ReadonlySet<string> = new Set(['public', 'knock', 'knock_restricted'])

async function isInOneOf(deps: AccessDeps, rooms: readonly RoomId[], user: Requester): Promise<boolean> {
  for (const roomId of rooms) if ((await membershipIn(deps, roomId, user)) === 'join') return true
  return false
}

async function membershipIn(deps: AccessDeps, roomId: RoomId, user: Requester): Promise<string | undefined> {
  const roomNid = await deps.heads.roomNid(roomId)
  return roomNid === undefined ? undefined : (await deps.memberships.of(user.userNid)).get(roomNid)?.membership
}
