import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import type { OutgoingResponse } from '@holdfast/platform/http/client'
import type { TestHomeserver, TestUser } from '../../testing/homeserver.ts'
import { startFederatedHomeservers, type Federation } from '../../testing/two-homeservers.ts'
import { explain } from '../../explain/explain.ts'
import { explanationText } from '../../explain/text.ts'
import { until } from '../../testing/until.ts'

type World = {
  readonly federation: Federation
  readonly servers: readonly TestHomeserver[]
  readonly ann: TestUser
  readonly bob: TestUser
  readonly cat: TestUser
  readonly roomId: string
  readonly path: string
  /** What is answered to whoever asks for a whole state; undefined: what is true. */
  state: ((url: string) => OutgoingResponse | undefined) | undefined
}

const NOT_NOW: OutgoingResponse = {
  status: 503,
  headers: { 'content-type': 'application/json' },
  body: Buffer.from('{"errcode":"M_UNKNOWN","error":"not now"}'),
}

/** A room of a.example with ann, cat of c.example, and some who stay silent; bob of b.example is not in it yet. */
async function world(t: TestContext, version: string): Promise<World> {
  const w: { state: World['state'] } = { state: () => NOT_NOW }
  const federation = await startFederatedHomeservers(['a.example', 'b.example', 'c.example'], {
    elsewhere: (url) => (url.includes('/federation/v1/state/') ? w.state?.(url) : undefined),
  })
  t.after(() => federation[Symbol.asyncDispose]())
  const [a, b, c] = federation.servers
  const [ann, bob, cat] = await Promise.all([a!.user('ann'), b!.user('bob'), c!.user('cat')])
  const { room_id: roomId } = await ann.ok('POST', '/createRoom', {
    preset: 'public_chat',
    name: 'Hall',
    room_version: version,
    power_level_content_override: { invite: 0 },
  })
  const path = `/rooms/${encodeURIComponent(roomId)}`
  await a!.user('gil')
  for (const name of ['dan', 'eve', 'fay'])
    await (await a!.user(name)).ok('POST', `/join/${encodeURIComponent(roomId)}`, {})
  w.state = undefined
  await cat.ok('POST', `/join/${encodeURIComponent(roomId)}?server_name=a.example`, {})
  await until(async () => Object.keys(await membersAs(cat, path)).length === 5, 'cat does not see all members')
  w.state = () => NOT_NOW
  return Object.assign(w, { federation, servers: federation.servers, ann, bob, cat, roomId, path })
}

async function join({ roomId }: World, user: TestUser): Promise<void> {
  await user.ok('POST', `/join/${encodeURIComponent(roomId)}?server_name=a.example`, {})
}

async function membersAs(user: TestUser, path: string): Promise<object> {
  return (await user.ok('GET', `${path}/joined_members`)).joined
}

async function say({ path }: World, user: TestUser, body: string): Promise<string> {
  return (await user.ok('PUT', `${path}/send/m.room.message/${encodeURIComponent(body)}`, { msgtype: 'm.text', body }))
    .event_id
}

async function hears({ path }: World, user: TestUser, body: string): Promise<void> {
  await until(async () => {
    const { chunk } = await user.ok('GET', `${path}/messages?dir=b&limit=20`)
    return chunk.some((event: { content: { body?: string } }) => event.content.body === body)
  }, `nobody hears ${body}`)
}

function isIncomplete(server: TestHomeserver): boolean {
  return server.parts.incompleteRooms.all().length > 0
}

for (const version of ['1', '11', '12']) {
  test(`[INC1] [INC4] who joins talks at once, and all servers hear it, before the members are here: version ${version}`, async (t) => {
    const w = await world(t, version)
    await join(w, w.bob)
    assert.ok(isIncomplete(w.servers[1]!))
    const explanation = await explain(w.servers[1]!.parts, { subject: 'room', id: w.roomId })
    assert.match(
      explanationText(explanation),
      /incomplete +Its state is being filled in: 0 of 0 events from a\.example/,
    )
    await say(w, w.bob, 'early')
    await hears(w, w.ann, 'early')
    await hears(w, w.cat, 'early')
    const { rooms } = await w.bob.ok('GET', '/sync')
    const shown = rooms.join[w.roomId]
    const types = [...shown.state.events, ...shown.timeline.events].map(({ type }: { type: string }) => type)
    for (const type of ['m.room.create', 'm.room.name', 'm.room.power_levels']) assert.ok(types.includes(type), type)
    assert.equal((await w.bob.ok('GET', `${w.path}/state/m.room.name`)).name, 'Hall')
  })

  test(`[INC3] [INC5] who asks for the members waits until all are here, and syncs tell them: version ${version}`, async (t) => {
    const w = await world(t, version)
    await join(w, w.bob)
    const { next_batch: since } = await w.bob.ok('GET', '/sync')
    await say(w, w.bob, 'early')
    const waiting = membersAs(w.bob, w.path)
    const inviting = w.bob.ok('POST', `${w.path}/invite`, { user_id: '@gil:a.example' })
    w.state = undefined
    assert.equal(Object.keys(await waiting).length, 6)
    await inviting
    assert.ok(!isIncomplete(w.servers[1]!))
    const { rooms } = await w.bob.ok('GET', `/sync?since=${since}`)
    const told = rooms.join[w.roomId]
    const members = new Set<string>()
    for (const event of [...told.state.events, ...told.timeline.events]) {
      if (event.type === 'm.room.member' && event.content.membership === 'join') members.add(event.state_key)
    }
    assert.equal(members.size, 6)
    assert.equal(told.summary['m.joined_member_count'], 6)
    await w.servers[1]!.restart()
    assert.equal(Object.keys(await membersAs(w.bob, w.path)).length, 6)
    const again = await w.bob.ok('GET', `/sync?since=${since}`)
    assert.ok(again.rooms.join[w.roomId].state.events.length > 6)
  })

  test(`[INC2] what others send meanwhile is taken in afterwards: version ${version}`, async (t) => {
    const w = await world(t, version)
    await join(w, w.bob)
    const bobs = await say(w, w.bob, 'early')
    await hears(w, w.ann, 'early')
    await say(w, w.ann, 'from ann')
    await say(w, w.cat, 'from cat')
    w.state = undefined
    await hears(w, w.bob, 'from ann')
    await hears(w, w.bob, 'from cat')
    for (const server of w.servers) {
      const head = (await server.parts.heads.byId(w.roomId as never))!
      assert.equal(head.state.map.size, (await w.servers[0]!.parts.heads.byId(w.roomId as never))!.state.map.size)
      assert.ok(![...head.members.servers.values()].includes(0))
    }
    // What was sent meanwhile has the whole state, too.
    const state = await w.ann.ok('GET', `${w.path}/state`)
    const b = w.servers[1]!
    const event = (await b.parts.events.inRoom((await b.parts.heads.roomNid(w.roomId as never))!, bobs as never))!
    assert.equal((await b.parts.states.load(event.stateNid)).map.size, state.length)
  })

  test(`[INC6] after a restart the filling goes on: version ${version}`, async (t) => {
    const w = await world(t, version)
    await join(w, w.bob)
    await say(w, w.bob, 'early')
    await w.servers[1]!.restart()
    assert.ok(isIncomplete(w.servers[1]!))
    await say(w, w.bob, 'later')
    await hears(w, w.cat, 'later')
    w.state = undefined
    assert.equal(Object.keys(await membersAs(w.bob, w.path)).length, 6)
    await say(w, w.ann, 'welcome')
    await hears(w, w.bob, 'welcome')
  })

  test(`[INC7] who leaves need not wait, and joins again: version ${version}`, async (t) => {
    const w = await world(t, version)
    await join(w, w.bob)
    const early = await say(w, w.bob, 'early')
    await w.bob.ok('POST', `${w.path}/leave`, {})
    const b = w.servers[1]!
    await until(() => !isIncomplete(b), 'the filling goes on')
    await until(async () => !(w.bob.userId in (await membersAs(w.ann, w.path))), 'the leave is not heard of')
    await until(async () => !(w.bob.userId in (await membersAs(w.cat, w.path))), 'the leave is not heard of')
    const nid = (await b.parts.heads.roomNid(w.roomId as never))!
    const event = (await b.parts.events.inRoom(nid, early as never))!
    assert.notEqual(event.flags & 32, 0)
    await join(w, w.bob)
    assert.equal(Object.keys(await membersAs(w.bob, w.path)).length, 6)
    assert.ok(!isIncomplete(b))
    await say(w, w.bob, 'back')
    await hears(w, w.cat, 'back')
  })

  test(`[INC8] a whole state that is not the one of the core ends the stay: version ${version}`, async (t) => {
    const w = await world(t, version)
    await join(w, w.bob)
    const asked: string[] = []
    w.state = (url) => {
      asked.push(new URL(url).hostname)
      return { status: 200, headers: { 'content-type': 'application/json' }, body: Buffer.from(LESS) }
    }
    await until(
      async () => !(await w.bob.ok('GET', '/joined_rooms')).joined_rooms.includes(w.roomId),
      'still in the room',
    )
    assert.ok(asked.includes('a.example'))
    await until(async () => !(w.bob.userId in (await membersAs(w.ann, w.path))), 'the leave is not heard of')
    await until(() => !isIncomplete(w.servers[1]!), 'the filling goes on')
  })
}

const LESS = '{"pdus":[],"auth_chain":[]}'

test('[INC8] another server that tells such a state is not believed', async (t) => {
  const w = await world(t, '11')
  await join(w, w.bob)
  const asked: string[] = []
  w.state = (url) => {
    const { hostname } = new URL(url)
    asked.push(hostname)
    if (hostname === 'a.example') return asked.includes('c.example') ? undefined : NOT_NOW
    return { status: 200, headers: { 'content-type': 'application/json' }, body: Buffer.from(LESS) }
  }
  await until(async () => asked.includes('c.example'), 'c.example is not asked')
  assert.equal(Object.keys(await membersAs(w.bob, w.path)).length, 6)
})
