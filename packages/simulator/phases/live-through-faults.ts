/** People act, all at once, while the world breaks around them. */
import { lieOnce } from '../liar/deeds.ts'
import { Liar } from '../liar/liar.ts'
import { actOnce } from '../people/actions.ts'
import type { Person } from '../people/person.ts'
import type { World } from '../world/world.ts'
import { finish } from './finish.ts'

const PARTITION_MS_MAX = 20_000
/** After the healing, those who still ask for something get their answers. */
const LAST_ANSWERS_MS = 1_200_000

export async function liveThroughFaults(world: World): Promise<void> {
  world.sicken()
  const { time, plan } = world
  planPartitions(world)
  const lives = world.society.people.map((person) => live(world, person))
  if (plan.hasLiar) lives.push(lie(world))
  const living = Promise.all(lives)
  // Whoever fails is heard of at the end.
  living.catch(() => undefined)
  await time.run(plan.busyMs)
  world.heal()
  world.note('WORLD', 'heals')
  await finish(world, living, LAST_ANSWERS_MS)
}

async function live({ society, time, plan, random }: World, person: Person): Promise<void> {
  const chance = random(`syncs of ${person.userId}`)
  const pauseMs = plan.busyMs / plan.actionsPerPerson
  for (let actions = 0; actions < plan.actionsPerPerson; actions += 1) {
    await time.sleep(person.random.integer(Math.floor(pauseMs * 2)))
    await actOnce(society, person)
    for (const follower of person.followers)
      if (chance.integer(SYNCS_EVERY) === 0) await follower.sync({ lost: chance.integer(5) === 0 })
  }
}

/** Actions between two syncs. */
const SYNCS_EVERY = 4

const LIES = 15

async function lie(world: World): Promise<void> {
  const { society, time, plan } = world
  const liar = new Liar(world)
  for (const room of society.rooms) await liar.join(room, liar.honest[liar.random.integer(liar.honest.length)]!)
  for (let lies = 0; lies < LIES; lies += 1) {
    await time.sleep(liar.random.integer((2 * plan.busyMs) / LIES))
    await lieOnce(liar, world)
  }
}

/** One direction at a time: a server may hear another that does not hear it. */
function planPartitions({ plan, servers, time, links, random, note }: World): void {
  const chance = random('partitions')
  for (let count = 0; count < plan.partitions; count += 1) {
    const from = servers[chance.integer(servers.length)]!.name
    const to = servers[chance.integer(servers.length)]!.name
    const how = chance.integer(2) === 0 ? 'silent' : 'refused'
    const beginMs = chance.integer(plan.busyMs)
    const lengthMs = chance.integer(PARTITION_MS_MAX)
    const isMutual = chance.integer(2) === 0
    const cut = (state: 'silent' | 'refused' | 'open'): void => {
      note('WORLD', `${from} to ${to}: ${state}${isMutual ? ', both ways' : ''}`)
      links.cut(from, to, state)
      if (isMutual) links.cut(to, from, state)
    }
    time.after(beginMs, () => cut(how))
    time.after(beginMs + lengthMs, () => cut('open'))
  }
}
