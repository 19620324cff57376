/** People page back to the beginning of their rooms: what their servers missed in bad times is fetched for them. */
import { peopleIn } from '../world/rooms.ts'
import type { Person } from '../people/person.ts'
import type { World } from '../world/world.ts'
import { finish } from './finish.ts'

const PAGES_MAX = 40
const LOOKING_MS = 600_000

export async function lookBack(world: World): Promise<void> {
  await finish(world, lookEverywhere(world), LOOKING_MS)
}

async function lookEverywhere(world: World): Promise<void> {
  for (const room of world.society.rooms) {
    for (const server of world.servers) {
      const [me] = await peopleIn(world, server, room)
      if (me !== undefined) await pageBack(me, room)
    }
  }
}

async function pageBack(me: Person, room: string): Promise<void> {
  let from = ''
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const reply = await me.insist('GET', `/rooms/${encodeURIComponent(room)}/messages?dir=b&limit=30${from}`)
    if (reply.status !== 200 || reply.body.end === undefined) return
    from = `&from=${reply.body.end}`
  }
}
