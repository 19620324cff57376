/** One of the two servers is away for a while, or both are: nothing is lost. */
import type { Peer } from './peer.ts'
import type { Person } from './person.ts'
import * as rooms from './rooms.ts'
import { eventually } from './waiting.ts'
import { type World, once } from './world.ts'

const MESSAGES = 20
/** The one that stayed up tries again after a pause. */
const CATCH_UP_MS_MAX = 60_000

type Room = { readonly roomId: string; readonly people: readonly [Person, Person] }

export function testOutage(world: World, versions: readonly string[]): void {
  const { first, second } = world.pair
  /** One per version, by turns of the one and the other server. */
  const shared = once(() =>
    Promise.all(
      versions.map(async (version, index): Promise<Room> => {
        const { host, guest } = world.directions[index % 2]!
        const roomId = await rooms.createRoom(host, { version })
        await rooms.joinVia(guest, roomId, host.peer.serverName)
        await rooms.givePower(host, roomId, guest, 60)
        await rooms.untilSameState(host, guest, roomId)
        world.shared.push({ roomId, host, guest })
        return { roomId, people: [host, guest] }
      }),
    ),
  )

  for (const [away, here] of [
    [first, second],
    [second, first],
  ] as const) {
    world.rule(`${away.label} is away, and catches up with what was said on ${here.label}`, async () => {
      const all = await shared()
      await away.stop()
      const said = await Promise.all(all.map((room) => talk(ofServer(room, here), room.roomId)))
      await away.start()
      for (const [index, room] of all.entries()) {
        const who = ofServer(room, away)
        // In all rooms but the first one, what is behind is told by the other server alone.
        if (index === 0) await rooms.say(who, room.roomId, 'back again')
        await untilCaughtUp(who, ofServer(room, here), room.roomId, said[index] ?? [])
      }
    })
  }

  world.rule('both are restarted, and go on', async () => {
    const all = await shared()
    await Promise.all([first.stop(), second.stop()])
    await Promise.all([first.start(), second.start()])
    for (const { roomId, people } of all) {
      const [one, other] = people
      const said = [await rooms.say(one, roomId, 'after the night'), await rooms.say(other, roomId, 'good morning')]
      await untilCaughtUp(one, other, roomId, said)
      await untilCaughtUp(other, one, roomId, said)
    }
  })
}

function ofServer({ people }: Room, peer: Peer): Person {
  return people.find((person) => person.peer === peer)!
}

/** Messages with a change of state among them. */
async function talk(who: Person, roomId: string): Promise<string[]> {
  const said: string[] = []
  for (let count = 0; count < MESSAGES; count += 1) {
    said.push(await rooms.say(who, roomId, `message ${count}`))
    if (count === MESSAGES / 2) {
      said.push(await rooms.setState(who, roomId, { type: 'm.room.topic' }, { topic: `by ${who.userId}` }))
    }
  }
  return said
}

async function untilCaughtUp(who: Person, other: Person, roomId: string, eventIds: readonly string[]): Promise<void> {
  await eventually(
    `${who.userId} sees the newest of ${roomId}`,
    () => rooms.getEvent(who, roomId, eventIds.at(-1) ?? ''),
    CATCH_UP_MS_MAX,
  )
  await rooms.untilScrollsTo(who, roomId, eventIds)
  await rooms.untilSameState(who, other, roomId)
}
