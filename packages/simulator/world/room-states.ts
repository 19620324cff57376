/** What a server takes for the present of a room. */
import type { RoomId } from '@holdfast/protocol/ids/brand'
import { allStateEvents } from '@holdfast/homeserver/rooms/current-state'
import type { SimulatedServer } from './server.ts'

export type RoomPresent = {
  readonly server: string
  /** Event ids, sorted. */
  readonly extremities: string
  /** Event id by type and state key. */
  readonly state: ReadonlyMap<string, string>
  /** The member event of each user who is joined. */
  readonly joined: ReadonlyMap<string, string>
}

export async function roomStates(server: SimulatedServer, roomId: string): Promise<RoomPresent> {
  const { parts } = server
  const head = await parts.heads.byId(roomId as RoomId)
  if (head === undefined) throw new Error(`${server.name} does not know ${roomId}`)
  const present = await allStateEvents(parts, head.state.map)
  const state = new Map(present.map(({ pdu }) => [`${pdu.type} ${pdu.stateKey}`, pdu.eventId as string]))
  const joined = new Map<string, string>()
  for (const { pdu } of present) {
    if (pdu.type === 'm.room.member' && pdu.stateKey !== undefined && pdu.content['membership'] === 'join')
      joined.set(pdu.stateKey, pdu.eventId)
  }
  const extremities = head.extremities.map(({ pdu }) => pdu.eventId).toSorted()
  return { server: server.name, extremities: extremities.join(' '), state, joined }
}
