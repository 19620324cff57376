/** I3 and I4: who follows a room through /sync has all own messages, nothing twice, and in the end the state of the room. */
import { isJoined } from '../world/rooms.ts'
import { roomStates } from '../world/room-states.ts'
import type { Person } from '../people/person.ts'
import type { World } from '../world/world.ts'
import { finish } from '../phases/finish.ts'

const SYNCS_MAX = 20
const SYNCING_MS = 600_000

export async function syncTellsAll(world: World): Promise<void> {
  const { society, complain } = world
  for (const me of society.people) {
    await finish(world, catchUp(me), SYNCING_MS)
    for (const roomId of society.rooms) {
      if (!(await isJoined(me.server, roomId, me.userId))) continue
      const room = me.follower.rooms.get(roomId)
      if (room?.isJoined !== true) {
        complain('sync-tells-all', `${me.userId} does not know that they are in ${roomId}`)
        continue
      }
      for (const said of society.acknowledged)
        if (said.person === me && said.roomId === roomId && !room.ids.has(said.eventId))
          complain('sync-tells-all', `${me.userId} is not told of their own ${said.eventId} "${said.body}"`)
      const { state } = await roomStates(me.server, roomId)
      const told = new Map([...room.state].map(([key, id]) => [(JSON.parse(key) as string[]).join(' '), id] as const))
      for (const key of new Set([...state.keys(), ...told.keys()]))
        if (state.get(key) !== told.get(key))
          complain('sync-tells-all', `${me.userId} has ${told.get(key)} for ${key}, the server ${state.get(key)}`)
    }
  }
}

async function catchUp({ follower }: Person): Promise<void> {
  for (let syncs = 0; syncs < SYNCS_MAX; syncs += 1) if (!(await follower.sync())) return
}
