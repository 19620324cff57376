/** Servers start, people register, make rooms and meet there; nothing goes wrong yet. */
import { createRoom, join, say } from '../people/actions.ts'
import type { World } from '../world/world.ts'
import { finish } from './finish.ts'

const START_MS = 5_000
const SETTLE_MS = 600_000

export async function settleIn(world: World): Promise<void> {
  for (const server of world.servers) server.start()
  await world.time.run(START_MS, () => world.servers.every(({ isUp }) => isUp))
  await finish(world, settle(world), SETTLE_MS)
}

async function settle({ society, plan, complain }: World): Promise<void> {
  for (const person of society.people) await person.register()
  for (const version of plan.roomVersions) await createRoom(society, society.people[0]!, version)
  for (const room of society.rooms) {
    for (const me of society.people.slice(1)) {
      const reply = await join({ society, me, room })
      const status = (reply as { status: number; body: unknown } | undefined)?.status
      if (status !== 200) complain('all-can-join', `${me.userId} cannot join ${room}: ${JSON.stringify(reply)}`)
      await say({ society, me, room })
    }
  }
}
