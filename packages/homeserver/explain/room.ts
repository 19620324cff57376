/** What is known of a room: who is in it, where it stands, what changed last and what was refused. */
import type { RoomId } from '@holdfast/protocol/ids/brand'
import type { Homeserver } from '../homeserver.ts'
import type { StoredEvent } from '../rooms/event-store.ts'
import { isResident, type RoomHead } from '../rooms/room-heads.ts'
import { newestRefusals, newestStateEvents, type RefusedRow } from '../storage/explain.ts'
import { EXPLAIN_LIMITS } from './limits.ts'

export type ExplainRoomDeps = Pick<Homeserver, 'db' | 'heads' | 'events' | 'dictionary' | 'incompleteRooms'>

export type ShownEvent = {
  readonly event_id: string
  readonly type: string
  readonly state_key: string | null
  readonly sender: string
  readonly origin_server_ts: number
}

export type KnownRoom = {
  readonly version: string
  /** Whether anybody of this server is in the room. */
  readonly is_resident: boolean
  /** How far the filling of an incomplete room is; null for a whole one. */
  readonly filling: FillingShown | null
  readonly joined_count: number
  readonly invited_count: number
  /** Some of those who have joined. */
  readonly members: readonly string[]
  /** Other servers, those with most members first. */
  readonly servers: readonly { readonly server_name: string; readonly joined: number }[]
  readonly server_count: number
  readonly extremities: readonly ShownEvent[]
  readonly extremity_count: number
  readonly depth: number
  readonly state_size: number
  readonly last_state_events: readonly ShownEvent[]
  readonly last_refusals: readonly RefusedRow[]
}

export type FillingShown = {
  readonly since_ts: number
  /** Whose word is being worked in, or was asked for last. */
  readonly server: string | null
  readonly stored: number
  readonly told: number
}

export type RoomExplanation = {
  readonly kind: 'room'
  readonly room_id: string
  readonly room: KnownRoom | null
}

export async function explainRoom(deps: ExplainRoomDeps, roomId: RoomId): Promise<RoomExplanation> {
  const head = await deps.heads.byId(roomId)
  return { kind: 'room', room_id: roomId, room: head === undefined ? null : await known(deps, head) }
}

async function known(deps: ExplainRoomDeps, head: RoomHead): Promise<KnownRoom> {
  const { roomNid, members, extremities, state } = head
  const { membersMax, serversMax, extremitiesMax, recentAmongMax, recentStateMax, refusalsMax } = EXPLAIN_LIMITS
  const servers = [...members.servers].map(([name, joined]) => ({ server_name: name, joined }))
  const recent = await newestStateEvents(deps.db.heavy, { roomNid, among: recentAmongMax, limit: recentStateMax })
  const events = await deps.events.byNids(recent)
  return {
    version: head.version,
    is_resident: isResident(head),
    filling: fillingOf(deps, roomNid),
    joined_count: members.joined.size,
    invited_count: members.invited.size,
    members: await deps.dictionary.userIds([...members.joined.values().take(membersMax)]),
    servers: servers.toSorted((a, b) => b.joined - a.joined).slice(0, serversMax),
    server_count: servers.length,
    extremities: extremities.slice(0, extremitiesMax).map(shown),
    extremity_count: extremities.length,
    depth: head.depth,
    state_size: state.map.size,
    last_state_events: recent.flatMap((nid) => (events.has(nid) ? [shown(events.get(nid)!)] : [])),
    last_refusals: await newestRefusals(deps.db.heavy, { roomNid, limit: refusalsMax }),
  }
}

function fillingOf({ incompleteRooms }: ExplainRoomDeps, roomNid: number): FillingShown | null {
  const filling = incompleteRooms.get(roomNid)
  if (filling === undefined) return null
  const { server, stored, told } = filling.progress
  return { since_ts: filling.beganMs, server: server ?? null, stored, told }
}

function shown({ pdu }: StoredEvent): ShownEvent {
  const { eventId, type, stateKey, sender, originServerTs } = pdu
  return { event_id: eventId, type, state_key: stateKey ?? null, sender, origin_server_ts: originServerTs }
}
