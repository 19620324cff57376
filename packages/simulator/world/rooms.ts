/** Who is in which room, as a server has it on its disk. */
import type { Person } from '../people/person.ts'
import { isJoinedTo } from '../storage/inspections.ts'
import type { SimulatedServer } from './server.ts'
import type { World } from './world.ts'

export function isJoined({ disk }: Pick<SimulatedServer, 'disk'>, roomId: string, userId: string): Promise<boolean> {
  return isJoinedTo(disk, { roomId, userId })
}

/** The people of this server who are in the room, for their server. */
export async function peopleIn(
  { society }: Pick<World, 'society'>,
  server: SimulatedServer,
  roomId: string,
): Promise<readonly Person[]> {
  const here: Person[] = []
  for (const person of society.people)
    if (person.server === server && (await isJoined(server, roomId, person.userId))) here.push(person)
  return here
}

/** The servers that say of themselves that somebody of theirs is in the room. */
export async function residentServers(world: World, roomId: string): Promise<readonly SimulatedServer[]> {
  const residents: SimulatedServer[] = []
  for (const server of world.servers) if ((await peopleIn(world, server, roomId)).length > 0) residents.push(server)
  return residents
}
