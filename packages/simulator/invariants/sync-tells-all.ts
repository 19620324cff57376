/** I3 and I4: who follows a room through /sync has all own messages, nothing twice, and in the end the state of the room. */
import type { FollowingClient } from '@holdfast/homeserver/testing/following-client'
import type { Person } from '../people/person.ts'
import { finish } from '../phases/finish.ts'
import { roomStates } from '../world/room-states.ts'
import { isJoined } from '../world/rooms.ts'
import type { World } from '../world/world.ts'

const RULE = 'sync-tells-all'
const SYNCS_MAX = 20
const SYNCING_MS = 600_000

export async function syncTellsAll(world: World): Promise<void> {
  const { society } = world
  for (const me of society.people) {
    for (const follower of me.followers) {
      await finish(world, catchUp(follower), SYNCING_MS)
      for (const roomId of society.rooms) {
        if (await isJoined(me.server, roomId, me.userId)) await checkRoom(world, { me, follower, roomId })
      }
    }
  }
}

async function catchUp(follower: FollowingClient): Promise<void> {
  for (let syncs = 0; syncs < SYNCS_MAX; syncs += 1) if (!(await follower.sync())) return
}

async function checkRoom(
  { society, complain }: World,
  { me, follower, roomId }: { readonly me: Person; readonly follower: FollowingClient; readonly roomId: string },
): Promise<void> {
  const { name } = follower.options
  const room = follower.rooms.get(roomId)
  if (room?.isJoined !== true) {
    complain(RULE, `${name} does not know that they are in ${roomId}`)
    return
  }
  for (const said of society.acknowledged)
    if (said.person === me && said.roomId === roomId && !room.ids.has(said.eventId))
      complain(RULE, `${name} is not told of their own ${said.eventId} "${said.body}"`)
  const { state } = await roomStates(me.server, roomId)
  const told = new Map([...room.state].map(([key, id]) => [(JSON.parse(key) as string[]).join(' '), id] as const))
  for (const [key, id] of state)
    if (id !== told.get(key)) complain(RULE, `${name} has ${told.get(key)} for ${key} in ${roomId}, the server ${id}`)
}
