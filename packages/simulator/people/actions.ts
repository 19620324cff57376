/** What people do in rooms, as chance has it. */
import type { Random } from '@holdfast/platform/random/random'
import type { Person } from './person.ts'

/** A message that its server has acknowledged. */
export type Acknowledged = {
  readonly person: Person
  readonly roomId: string
  readonly eventId: string
  readonly body: string
}

export type Society = {
  readonly people: readonly Person[]
  readonly rooms: string[]
  readonly acknowledged: Acknowledged[]
  /** How much was said, acknowledged or not. */
  said: number
  /** Servers whose users may be asked to let somebody in. */
  readonly serverNames: readonly string[]
}

type Scene = {
  readonly society: Society
  readonly me: Person
  readonly room: string
  readonly other: Person
  readonly random: Random
}

type Action = (scene: Scene) => Promise<unknown>

export async function createRoom(society: Society, me: Person, version: string): Promise<void> {
  const content = { preset: 'public_chat', room_version: version, name: `a room of version ${version}` }
  const reply = await me.insist('POST', '/createRoom', content)
  if (reply.status !== 200) throw new Error(`no room: ${JSON.stringify(reply.body)}`)
  society.rooms.push(reply.body.room_id)
}

export async function actOnce(society: Society, me: Person): Promise<void> {
  const { random } = me
  const room = society.rooms[random.integer(society.rooms.length)]
  if (room === undefined) return
  const other = society.people[random.integer(society.people.length)]!
  let drawn = random.integer(WEIGHT_SUM)
  for (const { weight, action } of ACTIONS) {
    drawn -= weight
    if (drawn < 0) {
      await action({ society, me, room, other, random })
      return
    }
  }
}

const path = (room: string, rest: string): string => `/rooms/${encodeURIComponent(room)}${rest}`

/** Says it under one transaction id until the server answers. */
export async function say({ society, me, room }: Pick<Scene, 'society' | 'me' | 'room'>): Promise<string | undefined> {
  society.said += 1
  const body = `${me.userId} says ${society.said}`
  const target = path(room, `/send/m.room.message/t${me.random.text(8)}`)
  const reply = await me.insist('PUT', target, { msgtype: 'm.text', body })
  if (reply.status !== 200) return undefined
  const eventId: string = reply.body.event_id
  society.acknowledged.push({ person: me, roomId: room, eventId, body })
  // An answer can get lost: who asks again is told the same.
  if (me.random.integer(5) === 0) {
    const again = await me.insist('PUT', target, { msgtype: 'm.text', body })
    if (again.status === 200 && again.body.event_id !== eventId) throw new Error(`${target} made two events`)
  }
  return eventId
}

/** As far as the host may. */
export async function letIn(host: Person, guest: Person, room: string): Promise<void> {
  for (const action of ['unban', 'invite']) await host.ask('POST', path(room, `/${action}`), { user_id: guest.userId })
}

/** By way of these servers, or of any. */
export function join(
  { society, me, room }: Pick<Scene, 'society' | 'me' | 'room'>,
  through: readonly string[] = society.serverNames,
): Promise<unknown> {
  const servers = through.filter((name) => name !== me.server.name)
  const via = servers.map((name) => `server_name=${name}&via=${name}`).join('&')
  return me.ask('POST', `/join/${encodeURIComponent(room)}?${via}`, {})
}

const setState =
  (type: string, contentOf: (scene: Scene) => object): Action =>
  (scene) =>
    scene.me.ask('PUT', path(scene.room, `/state/${type}/`), contentOf(scene))

const onOther =
  (verb: string): Action =>
  ({ me, room, other }) =>
    me.ask('POST', path(room, `/${verb}`), { user_id: other.userId })

async function changePower({ me, room, other, random }: Scene): Promise<void> {
  const now = await me.ask('GET', path(room, '/state/m.room.power_levels/'))
  if (now?.status !== 200) return
  const level = [0, 10, 50, 50, 100][random.integer(5)]
  await me.ask('PUT', path(room, '/state/m.room.power_levels/'), {
    ...now.body,
    users: { ...now.body.users, [other.userId]: level },
  })
}

async function redact({ society, me, room, random }: Scene): Promise<void> {
  const here = society.acknowledged.filter(({ roomId }) => roomId === room)
  const target = here[random.integer(Math.max(1, here.length))]
  if (target !== undefined)
    await me.ask('PUT', path(room, `/redact/${encodeURIComponent(target.eventId)}/r${random.text(6)}`), {})
}

const ACTIONS: readonly { readonly weight: number; readonly action: Action }[] = [
  { weight: 40, action: say },
  { weight: 16, action: (scene) => join(scene) },
  { weight: 5, action: ({ me, room }) => me.ask('POST', path(room, '/leave'), {}) },
  { weight: 4, action: onOther('kick') },
  { weight: 3, action: onOther('ban') },
  { weight: 4, action: onOther('unban') },
  { weight: 6, action: onOther('invite') },
  { weight: 8, action: changePower },
  { weight: 6, action: setState('m.room.topic', ({ random }) => ({ topic: random.text(6) })) },
  { weight: 3, action: setState('m.room.name', ({ random }) => ({ name: random.text(6) })) },
  {
    weight: 3,
    action: setState('m.room.join_rules', ({ random }) => ({
      join_rule: ['public', 'public', 'invite'][random.integer(3)],
    })),
  },
  {
    weight: 2,
    action: setState('m.room.history_visibility', ({ random }) => ({
      history_visibility: ['shared', 'joined', 'invited', 'world_readable'][random.integer(4)],
    })),
  },
  { weight: 6, action: redact },
]

const WEIGHT_SUM = ACTIONS.reduce((sum, { weight }) => sum + weight, 0)
