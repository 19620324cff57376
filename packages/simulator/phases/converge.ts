/** Nothing goes wrong any more: within a bound, all servers in a room must agree on it. */
import { join, letIn, say } from '../people/actions.ts'
import type { Person } from '../people/person.ts'
import { isJoined, peopleIn, residentServers } from '../world/rooms.ts'
import { roomStates } from '../world/room-states.ts'
import type { SimulatedServer } from '../world/server.ts'
import type { World } from '../world/world.ts'
import { finish } from './finish.ts'

const ROUNDS_MAX = 8
const ROUND_MS = 60_000
const SAYING_MS = 120_000
/** From this round on, people who are in a room for their own server only do what people do: leave and join again. */
const REUNION_ROUND = 2

/** In each round somebody of each server says something in each room, so that all tips meet. */
export async function converge(world: World): Promise<void> {
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    if (round >= REUNION_ROUND) await finish(world, reunite(world), SAYING_MS)
    await finish(world, sayHello(world), SAYING_MS)
    await world.time.run(ROUND_MS)
    if (round > 0 && (await disagreements(world)).length === 0) return
  }
  for (const what of await disagreements(world)) world.complain('convergence', what)
}

async function sayHello(world: World): Promise<void> {
  for (const room of world.society.rooms) {
    for (const server of world.servers) {
      const [me] = await peopleIn(world, server, room)
      if (me !== undefined) await say({ society: world.society, me, room })
    }
  }
}

/**
 * Who leaves while the others cannot be told, and is let in again by somebody who has not heard of it, may be out for them once
 * they do hear. No server can know better by itself. As long as one of its people stays, a server keeps to its own view of the
 * room: so all of them go, and come in by way of those who took them for gone.
 */
async function reunite(world: World): Promise<void> {
  for (const room of world.society.rooms) {
    const residents = await residentServers(world, room)
    for (const server of residents) {
      const people = await peopleIn(world, server, room)
      const strangers: SimulatedServer[] = []
      for (const other of residents) {
        const known = await Promise.all(people.map((me) => isJoined(other, room, me.userId)))
        if (known.includes(false)) strangers.push(other)
      }
      if (strangers.length > 0) await comeAgain(world, { room, people, strangers })
    }
  }
}

async function comeAgain(
  world: World,
  {
    room,
    people,
    strangers,
  }: { readonly room: string; readonly people: readonly Person[]; readonly strangers: readonly SimulatedServer[] },
): Promise<void> {
  const { society, note, counts, time } = world
  const names = strangers.map(({ name }) => name)
  for (const me of people) {
    note('WORLD', `${me.userId} is not in ${room} for ${names.join(', ')}`)
    counts.isolated += 1
    await me.ask('POST', `/rooms/${encodeURIComponent(room)}/leave`, {})
  }
  await time.sleep(LEAVING_MS)
  for (const me of people) {
    // They may have closed the room, or banned somebody whom nobody told of it.
    for (const server of strangers) for (const host of await peopleIn(world, server, room)) await letIn(host, me, room)
    await join({ society, me, room }, names)
  }
}

/** Until the others have heard that somebody left. */
const LEAVING_MS = 5_000

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
