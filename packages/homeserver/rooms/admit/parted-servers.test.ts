import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import type { ServerName } from '@holdfast/protocol/ids/brand'
import type { TestUser } from '../../testing/homeserver.ts'
import { startFederatedHomeservers } from '../../testing/two-homeservers.ts'
import { until } from '../../testing/until.ts'
import { part } from './testing/peer-events.ts'

const A = 'a.example' as ServerName
const B = 'b.example' as ServerName

type World = {
  readonly ann: TestUser
  readonly bob: TestUser
  /** Does all while the servers do not reach one another. */
  readonly apart: (...works: readonly (() => Promise<unknown>)[]) => Promise<void>
}

/** A public room of Ann's on one server, and Bob of another, who may do everything but change what people may do. */
async function world(t: TestContext, version: string): Promise<World & { readonly path: string }> {
  const federation = await startFederatedHomeservers([A, B])
  t.after(() => federation[Symbol.asyncDispose]())
  const [a, b] = federation.servers
  const [ann, bob] = [await a!.user('ann'), await b!.user('bob')]
  const users = { ...(version === '12' ? {} : { [ann.userId]: 100 }), [bob.userId]: 50 }
  const { room_id: roomId } = await ann.ok('POST', '/createRoom', {
    room_version: version,
    preset: 'public_chat',
    power_level_content_override: { users },
  })
  await bob.ok('POST', `/join/${part(roomId)}?server_name=${A}`, {})
  const path = `/rooms/${part(roomId)}`
  const apart: World['apart'] = async (...works) => {
    federation.cutOff(B, true)
    for (const work of works) await work()
    federation.cutOff(B, false)
    a!.parts.federation.destinations.heardFrom(B)
    b!.parts.federation.destinations.heardFrom(A)
  }
  return { ann, bob, path, apart }
}

async function stateOf(user: TestUser, path: string): Promise<string> {
  const state = (await user.ok('GET', `${path}/state`)) as { type: string; state_key: string; event_id: string }[]
  return JSON.stringify(state.map((event) => [event.type, event.state_key, event.event_id].join(' ')).toSorted())
}

/**
 * Both speak, and again when they have heard one another: what a server refused for the present state comes back only with what
 * builds on it.
 */
async function untilAgreed({ ann, bob, path }: Pick<World, 'ann' | 'bob'> & { readonly path: string }): Promise<void> {
  for (let round = 0; round < 2; round += 1) {
    const words = [await say({ path }, ann), await say({ path }, bob)]
    await until(async () => {
      const heard = [ann, bob].flatMap((user) => words.map((eventId) => isHeard({ path }, user, eventId)))
      return !(await Promise.all(heard)).includes(false)
    }, 'both hear one another')
  }
  await until(async () => (await stateOf(ann, path)) === (await stateOf(bob, path)), 'the servers agree')
}

/** What is sent after it has a later `origin_server_ts`. */
async function aMillisecond(): Promise<void> {
  const nowMs = Date.now()
  await until(() => Date.now() > nowMs, 'time passes')
}

let said = 0

async function say({ path }: { readonly path: string }, user: TestUser): Promise<string> {
  said += 1
  const content = { msgtype: 'm.text', body: `word ${said}` }
  return (await user.ok('PUT', `${path}/send/m.room.message/${said}`, content)).event_id as string
}

async function isHeard({ path }: { readonly path: string }, user: TestUser, eventId: string): Promise<boolean> {
  return (await user.request('GET', `${path}/event/${part(eventId)}`)).status === 200
}

for (const version of ['1', '2', '3', '6', '9', '12']) {
  test(`power that was taken counts against what was done with it meanwhile: version ${version}`, async (t) => {
    const { ann, bob, path, apart } = await world(t, version)
    await ann.ok('PUT', `${path}/state/m.room.topic`, { topic: 'first' })
    const levels = await ann.ok('GET', `${path}/state/m.room.power_levels`)
    await apart(
      () => bob.ok('PUT', `${path}/state/m.room.topic`, { topic: 'of bob' }),
      () => bob.ok('PUT', `${path}/state/m.room.name`, { name: 'of bob' }),
      () =>
        ann.ok('PUT', `${path}/state/m.room.power_levels`, { ...levels, users: { ...levels.users, [bob.userId]: 0 } }),
    )
    await untilAgreed({ ann, bob, path })
    for (const user of [ann, bob]) {
      assert.equal((await user.ok('GET', `${path}/state/m.room.topic`)).topic, 'first')
      // In rooms of version 1 a key that only one of the branches has is in no conflict.
      const { status } = await user.request('GET', `${path}/state/m.room.name`)
      assert.equal(status, version === '1' ? 200 : 404)
    }
    assert.equal((await bob.request('PUT', `${path}/state/m.room.topic`, { topic: 'again' })).status, 403)
    assert.ok(await isHeard({ path }, ann, await say({ path }, ann)))
  })

  test(`of two topics the one that the version prefers holds everywhere: version ${version}`, async (t) => {
    const { ann, bob, path, apart } = await world(t, version)
    await apart(
      async () => {
        for (let count = 0; count < 3; count += 1) await say({ path }, bob)
        await bob.ok('PUT', `${path}/state/m.room.topic`, { topic: 'deeper' })
        await aMillisecond()
      },
      () => ann.ok('PUT', `${path}/state/m.room.topic`, { topic: 'later' }),
    )
    await untilAgreed({ ann, bob, path })
    // <https://spec.matrix.org/v1.19/rooms/v1/#state-resolution>: the depth decides; in all others the time.
    const expected = version === '1' ? 'deeper' : 'later'
    for (const user of [ann, bob]) assert.equal((await user.ok('GET', `${path}/state/m.room.topic`)).topic, expected)
  })

  test(`who was banned is out, whatever they did meanwhile: version ${version}`, async (t) => {
    const { ann, bob, path, apart } = await world(t, version)
    let late = ''
    await apart(
      () => ann.ok('POST', `${path}/ban`, { user_id: bob.userId }),
      async () => {
        await bob.ok('PUT', `${path}/state/m.room.topic`, { topic: 'of bob' })
        late = await say({ path }, bob)
      },
    )
    const member = `${path}/state/m.room.member/${part(bob.userId)}`
    for (const user of [ann, bob]) {
      await until(async () => (await user.ok('GET', member)).membership === 'ban', `${user.userId} sees the ban`)
    }
    await until(async () => (await bob.ok('GET', '/joined_rooms')).joined_rooms.length === 0, 'bob is out')
    assert.equal((await ann.request('GET', `${path}/state/m.room.topic`)).status, 404)
    assert.ok(!(await isHeard({ path }, ann, late)))
    assert.ok(await isHeard({ path }, ann, await say({ path }, ann)))
  })

  test(`a server catches up with all that was said while it was away: version ${version}`, async (t) => {
    const { ann, bob, path, apart } = await world(t, version)
    const missed: string[] = []
    await apart(async () => {
      for (let count = 0; count < 30; count += 1) {
        if (count % 10 === 0) await ann.ok('PUT', `${path}/state/m.room.topic`, { topic: `${count}` })
        missed.push(await say({ path }, ann))
      }
    })
    await until(() => isHeard({ path }, bob, missed.at(-1)!), 'bob hears the last')
    const { chunk } = await bob.ok('GET', `${path}/messages?dir=b&limit=100`)
    const shown = (chunk as { event_id: string; type: string }[]).filter(({ type }) => type === 'm.room.message')
    const ids = shown.map(({ event_id: eventId }) => eventId)
    assert.deepEqual(ids.toReversed(), missed)
    await untilAgreed({ ann, bob, path })
  })
}
