/** The room summary: counts, and a few members to name the room by. <https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3sync_response-200_roomsummary> */
import type { UserId } from '@holdfast/protocol/ids/brand'
import type { RoomHead } from '../rooms/room-heads.ts'
import { usersInRoomLimited } from '../storage/memberships.ts'
import type { SyncContext } from './sync-context.ts'

export type RoomSummary = {
  readonly heroes: readonly UserId[]
  readonly joined: number
  readonly invited: number
}

const HEROES_MAX = 5

export async function roomSummary({ deps, requester }: SyncContext, head: RoomHead): Promise<RoomSummary> {
  const { joined, invited } = head.members
  let heroes = firstOthers([joined, invited], requester.userNid)
  if (heroes.length === 0) {
    const gone = await usersInRoomLimited(deps.db, {
      roomNid: head.roomNid,
      memberships: ['leave', 'ban'],
      limit: HEROES_MAX + 1,
    })
    heroes = firstOthers([gone.map(({ user_nid }) => user_nid)], requester.userNid)
  }
  return { heroes: await deps.dictionary.userIds(heroes), joined: joined.size, invited: invited.size }
}

function firstOthers(sources: readonly Iterable<number>[], self: number): number[] {
  const found: number[] = []
  for (const source of sources) {
    for (const userNid of source) {
      if (found.length === HEROES_MAX) return found
      if (userNid !== self) found.push(userNid)
    }
  }
  return found
}

export function summaryText({ heroes, joined, invited }: RoomSummary): string {
  return `{"m.heroes":${JSON.stringify(heroes)},"m.joined_member_count":${joined},"m.invited_member_count":${invited}}`
}
