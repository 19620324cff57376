/** One room as the public directory shows it. */
import type { JsonValue } from '@holdfast/protocol/json/value'
import type { Homeserver } from '../homeserver.ts'
import { stateEventsAt } from '../rooms/current-state.ts'
import type { RoomHead } from '../rooms/room-heads.ts'

/** Members that the room does not have, or that are not of their type, are left out. */
export type PublicRoom = {
  readonly room_id: string
  readonly num_joined_members: number
  readonly world_readable: boolean
  readonly guest_can_join: boolean
  readonly name?: string
  readonly topic?: string
  readonly canonical_alias?: string
  readonly avatar_url?: string
  readonly join_rule?: string
  readonly room_type?: string
}

const SHOWN = {
  name: ['m.room.name', 'name'],
  topic: ['m.room.topic', 'topic'],
  canonical_alias: ['m.room.canonical_alias', 'alias'],
  avatar_url: ['m.room.avatar', 'url'],
  join_rule: ['m.room.join_rules', 'join_rule'],
  room_type: ['m.room.create', 'type'],
} as const

export async function publicRoom(deps: Pick<Homeserver, 'dictionary' | 'events'>, head: RoomHead): Promise<PublicRoom> {
  const types = [...Object.values(SHOWN).map(([type]) => type), 'm.room.history_visibility', 'm.room.guest_access']
  const events = await stateEventsAt(
    deps,
    head.state.map,
    types.map((type) => ({ type, stateKey: '' })),
  )
  const contents = new Map(events.map(({ pdu }) => [pdu.type, pdu.content]))
  const value = (type: string, key: string): JsonValue | undefined => contents.get(type)?.[key]
  const shown = Object.entries(SHOWN).flatMap(([name, [type, key]]) => {
    const text = value(type, key)
    return typeof text === 'string' && text !== '' ? [[name, text] as const] : []
  })
  return {
    room_id: head.roomId,
    num_joined_members: head.members.joined.size,
    world_readable: value('m.room.history_visibility', 'history_visibility') === 'world_readable',
    guest_can_join: value('m.room.guest_access', 'guest_access') === 'can_join',
    ...Object.fromEntries(shown),
  }
}

/** Whether a room matches what somebody searches for: in its name, topic or alias, upper and lower case alike. */
export function matchesSearch(room: PublicRoom, term: string): boolean {
  const wanted = term.toLowerCase()
  return [room.name, room.topic, room.canonical_alias].some((text) => text?.toLowerCase().includes(wanted) ?? false)
}

/** Whether a room is of one of the wanted types; null stands for rooms without a type. */
export function isOfType(room: PublicRoom, types: readonly (string | null)[]): boolean {
  return types.includes(room.room_type ?? null)
}
