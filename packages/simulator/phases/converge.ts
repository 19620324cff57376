/** Nothing goes wrong any more: within a bound, all servers in a room must agree on it. */
import { say } from '../people/actions.ts'
import { isJoined, residentServers } from '../world/rooms.ts'
import { roomStates } from '../world/room-states.ts'
import type { World } from '../world/world.ts'
import { finish } from './finish.ts'

const ROUNDS_MAX = 8
const ROUND_MS = 60_000
const SAYING_MS = 120_000

/** In each round somebody of each server says something in each room, so that all tips meet. */
export async function converge(world: World): Promise<void> {
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    await finish(world, sayHello(world), SAYING_MS)
    await world.time.run(ROUND_MS)
    if (round > 0 && (await disagreements(world)).length === 0) return
  }
  for (const what of await disagreements(world)) world.complain('convergence', what)
}

async function sayHello(world: World): Promise<void> {
  const { society, servers } = world
  for (const room of society.rooms) {
    for (const server of servers) {
      const here = []
      for (const person of society.people) if (person.server === server && (await isJoined(server, room, person.userId))) here.push(person)
      const me = here[0]
      if (me !== undefined) await say({ society, me, room })
    }
  }
}

export async function disagreements(world: World): Promise<readonly string[]> {
  const found: string[] = []
  for (const room of world.society.rooms) {
    const residents = await residentServers(world, room)
    const states = await Promise.all(residents.map((server) => roomStates(server, room)))
    const first = states[0]
    if (first === undefined) continue
    for (const other of states.slice(1)) {
      if (other.extremities !== first.extremities)
        found.push(`${room}: tips of ${first.server} are ${first.extremities}, of ${other.server} ${other.extremities}`)
      for (const key of new Set([...first.state.keys(), ...other.state.keys()])) {
        if (first.state.get(key) === other.state.get(key)) continue
        found.push(
          `${room} ${key}: ${first.server} has ${first.state.get(key)}, ${other.server} ${other.state.get(key)}`,
        )
      }
    }
  }
  return found
}
