/**
 * Another server goes on from wherever it likes in a room, and clients follow: when all is quiet, each has the room's state.
 * HOLDFAST_SYNC_SEEDS=n runs n seeds, HOLDFAST_SYNC_FIRST_SEED from where.
 */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { aLyingPeer, BOB, edges, event, send, type LyingPeer } from '../rooms/receive/testing/lying-peer.ts'
import { stateName, type RoomEvent } from '../testing/expected-room.ts'
import { FollowingClient } from '../testing/following-client.ts'
import type { TestUser } from '../testing/homeserver.ts'
import { seeded, type Seeded } from '../testing/seeded.ts'

const SEEDS = Number(process.env['HOLDFAST_SYNC_SEEDS'] ?? 3)
const FIRST_SEED = Number(process.env['HOLDFAST_SYNC_FIRST_SEED'] ?? 1)
const ROUNDS = 50
const TIPS_MAX = 8
/** Branches win against those of this server by being older or newer. */
const TIMES_MS = [1_700_000_000_000, Date.now() + 3_600_000]

type World = LyingPeer & {
  readonly chance: Seeded
  readonly cat: TestUser
  readonly clients: FollowingClient[]
  /** The newest events, as those to go on from. */
  readonly newest: string[]
  acts: number
}

for (const seed of Array.from({ length: SEEDS }, (_, index) => FIRST_SEED + index)) {
  test(`[SYNC11] where branches meet, every client has the room's state (seed ${seed})`, async (t) => {
    const world = await aWorld(t, seeded(seed))
    for (let round = 0; round < ROUNDS; round += 1) {
      if (round % 10 === 0) world.clients.push(aClient(world))
      for (let acts = 1 + world.chance.below(4); acts > 0; acts -= 1) await actOnce(world)
      for (const client of world.clients) {
        if (world.chance.oneIn(2)) continue
        await client.sync({ fullState: world.chance.oneIn(10), lost: world.chance.oneIn(6) })
        await checkState(world, client)
      }
    }
    for (const client of world.clients) {
      while (await client.sync()) continue
      await checkState(world, client)
    }
  })
}

async function aWorld(t: TestContext, chance: Seeded): Promise<World> {
  // Bob may throw out whom they like.
  const users = { '@ann:example.org': 100, [BOB]: 100 }
  const peer = await aLyingPeer(t, { settings: { power_level_content_override: { state_default: 0, users } } })
  return { ...peer, chance, cat: await peer.server.user('cat'), clients: [], newest: [peer.joined.eventId], acts: 0 }
}

function aClient({ ann, cat, chance, clients }: World): FollowingClient {
  const user = chance.pick([ann, cat])
  const options = {
    user,
    timelineLimit: chance.pick([1, 2, 5, 50]),
    pageLimit: chance.pick([2, 20]),
    ...(chance.oneIn(3) ? { timelineTypes: ['m.room.message', 'm.room.topic'] } : {}),
    lazyLoadMembers: chance.oneIn(4),
    useStateAfter: chance.oneIn(2),
  }
  return new FollowingClient({
    ...options,
    name: JSON.stringify({ ...options, user: user.userId, number: clients.length }),
  })
}

async function actOnce(world: World): Promise<void> {
  const { ann, cat, chance } = world
  world.acts += 1
  const act = chance.below(12)
  if (act < 5) return branchOff(world)
  const room = `/rooms/${encodeURIComponent(world.roomId)}`
  const { type, key } = aState(chance)
  const path = `${room}/state/${type}/${key}`
  const requests = [
    () => ann.request('PUT', path, { topic: `${world.acts}` }),
    () => ann.request('PUT', path, { topic: `${world.acts}` }),
    () => ann.request('PUT', `${room}/send/m.room.message/${world.acts}`, { body: `${world.acts}` }),
    () => cat.request('POST', `${room}/${chance.pick(['join', 'join', 'join', 'leave'])}`, {}),
    () => cat.request('POST', `${room}/join`, {}),
    () => ann.request('POST', `${room}/unban`, { user_id: cat.userId }),
    () =>
      cat.request('PUT', `/profile/${encodeURIComponent(cat.userId)}/displayname`, { displayname: `${world.acts}` }),
  ]
  const { status, body } = await requests[act - 5]!()
  assert.equal(status < 500, true, JSON.stringify(body))
  if (typeof body.event_id === 'string') remember(world, body.event_id)
}

/** Bob goes on from some of the newest events, whatever came after them. */
async function branchOff(world: World): Promise<void> {
  const { cat, chance, newest } = world
  const { type, key, membership } = chance.oneIn(4)
    ? { type: 'm.room.member', key: cat.userId, membership: chance.pick(['leave', 'leave', 'invite', 'ban']) }
    : { ...aState(chance), membership: undefined }
  const isState = membership !== undefined || !chance.oneIn(4)
  const prev = new Set([chance.pick(newest), chance.pick(newest)])
  const pdu = event(world, {
    ...(isState ? { type, state_key: key } : {}),
    content: { topic: `${world.acts}`, body: 'branch', ...(membership === undefined ? {} : { membership }) },
    prev_events: edges(world, [...prev]),
    origin_server_ts: chance.pick(TIMES_MS) + world.acts,
    depth: 10 + world.acts,
  })
  assert.deepEqual(await send(world, pdu), { [pdu.eventId]: {} })
  remember(world, pdu.eventId)
}

function aState(chance: Seeded): { readonly type: string; readonly key: string } {
  return chance.oneIn(2)
    ? { type: 'm.room.topic', key: '' }
    : { type: 'org.example.thing', key: String(chance.below(3)) }
}

function remember({ newest }: World, eventId: string): void {
  newest.push(eventId)
  if (newest.length > TIPS_MAX) newest.shift()
}

async function checkState({ roomId }: World, client: FollowingClient): Promise<void> {
  const { lazyLoadMembers, name, user } = client.options
  const room = client.rooms.get(roomId)
  const { status, body } = await user.request('GET', `/rooms/${encodeURIComponent(roomId)}/state`)
  const { joined_rooms: joined } = await user.ok('GET', '/joined_rooms')
  assert.equal(room?.isJoined ?? false, joined.includes(roomId), `${name} does not know whether it is in the room`)
  // Who is out sees the state of their departure, and branches that meet can bring about more than one.
  if (room?.isJoined !== true) return
  assert.equal(status, 200)
  const ignored = (key: string): boolean => lazyLoadMembers && key.startsWith('["m.room.member"')
  for (const stateEvent of body as RoomEvent[]) {
    const key = stateName(stateEvent)
    if (!ignored(key)) assert.equal(room.state.get(key), stateEvent.event_id, `${name} has another ${key}`)
  }
}
