/** I15: who counts as a member, and which servers as present, is what the state says. */
import { membershipOfCode } from '@holdfast/homeserver/storage/memberships'
import { membershipsInRoom, serversInRoom } from '../storage/inspections.ts'
import { residentServers } from '../world/rooms.ts'
import { roomStates } from '../world/room-states.ts'
import type { SimulatedServer } from '../world/server.ts'
import type { World } from '../world/world.ts'

export async function membershipsMatchTheState(world: World): Promise<void> {
  for (const roomId of world.society.rooms) {
    for (const server of await residentServers(world, roomId)) {
      for (const problem of await problemsOf(server, roomId))
        world.complain('memberships-match-the-state', `${server.name} ${roomId}: ${problem}`)
    }
  }
}

/**
 * Only who is joined has to agree: who refused an invitation that the others do not know of, for example, is out for their own
 * server alone.
 */
async function problemsOf(server: SimulatedServer, roomId: string): Promise<readonly string[]> {
  const { joined } = await roomStates(server, roomId)
  const rows = await membershipsInRoom(server.disk, roomId)
  const counted = new Map(
    rows.filter(({ membership }) => membershipOfCode(membership) === 'join').map((row) => [row.user_id, row.event_id]),
  )
  const told = new Map<string, number>()
  for (const { server_name: name, joined: count } of await serversInRoom(server.disk, roomId)) told.set(name, count)
  const present = new Map<string, number>()
  for (const userId of joined.keys()) {
    const name = userId.slice(userId.indexOf(':') + 1)
    if (name !== server.name) present.set(name, (present.get(name) ?? 0) + 1)
  }
  return [
    ...differences(counted, joined).map(
      (userId) => `${userId} joined by ${counted.get(userId)}, not ${joined.get(userId)}`,
    ),
    ...differences(told, present).map((name) => `${told.get(name)} of ${name} are counted, not ${present.get(name)}`),
  ]
}

function differences<T>(a: ReadonlyMap<string, T>, b: ReadonlyMap<string, T>): readonly string[] {
  return [...new Set([...a.keys(), ...b.keys()])].filter((key) => a.get(key) !== b.get(key))
}
