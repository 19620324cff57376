/** The room summary: counts, and a few members to name the room by. <https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3sync_response-200_roomsummary> */
import type { UserId } from '@holdfast/protocol/ids/brand'
import { stateEventAt } from '../rooms/current-state.ts'
import type { RoomHead } from '../rooms/room-heads.ts'
import { usersInRoomLimited } from '../storage/memberships.ts'
import type { SyncContext } from './sync-context.ts'

export type RoomSummary = {
  /** undefined: the room has a name of its own. */
  readonly heroes: readonly UserId[] | undefined
  readonly joined: number
  readonly invited: number
}

const HEROES_MAX = 5

export async function roomSummary(context: SyncContext, head: RoomHead): Promise<RoomSummary> {
  const { joined, invited } = head.members
  const heroes = (await isNamed(context, head)) ? undefined : await heroesOf(context, head)
  return { heroes, joined: joined.size, invited: invited.size }
}

async function isNamed({ deps }: SyncContext, { state }: RoomHead): Promise<boolean> {
  const name = await stateEventAt(deps, state.map, { type: 'm.room.name', stateKey: '' })
  if (isText(name?.pdu.content['name'])) return true
  const alias = await stateEventAt(deps, state.map, { type: 'm.room.canonical_alias', stateKey: '' })
  return isText(alias?.pdu.content['alias'])
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== ''
}

async function heroesOf({ deps, requester }: SyncContext, head: RoomHead): Promise<readonly UserId[]> {
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
  return deps.dictionary.userIds(heroes)
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
  const named = heroes === undefined ? '' : `"m.heroes":${JSON.stringify(heroes)},`
  return `{${named}"m.joined_member_count":${joined},"m.invited_member_count":${invited}}`
}
