import assert from 'node:assert/strict'
import { after, before, describe, it, test } from 'node:test'
import { createManualClock } from '@holdfast/platform/clock/manual-clock'
import { createSeededRandom } from '@holdfast/platform/random/seeded-random'
import type { RoomId, UserId } from '@holdfast/protocol/ids/brand'
import type { JsonObject } from '@holdfast/protocol/json/value'
import { startTestHomeserver, type TestHomeserver, type TestUser } from '../testing/homeserver.ts'
import { startFederatedHomeservers } from '../testing/two-homeservers.ts'
import { remoteSpaceOf } from './remote-space.ts'
import { openWalks } from './walks.ts'

type Room = { readonly room_id: string; readonly children_state: readonly { readonly state_key: string }[] }
type Page = { readonly rooms: readonly Room[]; readonly next_batch?: string }

const path = (space: string, query = '') => `/_matrix/client/v1/rooms/${encodeURIComponent(space)}/hierarchy${query}`
const see = (user: TestUser, space: string, query?: string): Promise<Page> => user.ok('GET', path(space, query))
const ids = (page: Page): string[] => page.rooms.map(({ room_id: id }) => id)

async function create(user: TestUser, body: object = { preset: 'public_chat' }): Promise<string> {
  return (await user.ok('POST', '/createRoom', body)).room_id
}

const aSpace = (user: TestUser, more: object = {}) =>
  create(user, { preset: 'public_chat', creation_content: { type: 'm.space' }, ...more })

async function addChild(user: TestUser, link: readonly [space: string, child: string], content: object = {}) {
  const target = `/rooms/${link[0]}/state/m.space.child/${encodeURIComponent(link[1])}`
  await user.ok('PUT', target, { via: ['example.org'], ...content })
}

describe('/hierarchy for clients', () => {
  let homeserver: TestHomeserver
  let ann: TestUser
  let bob: TestUser
  before(async () => {
    homeserver = await startTestHomeserver()
    ;[ann, bob] = [await homeserver.user('ann'), await homeserver.user('bob')]
  })
  after(() => homeserver[Symbol.asyncDispose]())

  it('[SPC1] rooms come depth first, each once, though spaces name one another in circles', async () => {
    const [top, left, right] = [await aSpace(ann), await aSpace(ann), await aSpace(ann)]
    const [a, b] = [await create(ann), await create(ann)]
    await addChild(ann, [top, left], { order: '1' })
    await addChild(ann, [top, b], { order: '2' })
    await addChild(ann, [left, right])
    await addChild(ann, [right, a])
    await addChild(ann, [right, top])
    await addChild(ann, [left, b])
    const page = await see(ann, top)
    assert.deepEqual(ids(page), [top, left, right, a, b])
    assert.equal(page.next_batch, undefined)
    assert.deepEqual(
      page.rooms[0]!.children_state.map((event) => event.state_key),
      [left, b],
    )
    assert.deepEqual(ids(await see(ann, top, '?max_depth=0')), [top])
    assert.deepEqual(ids(await see(ann, top, '?max_depth=1')), [top, left, b])
    const names: string[] = []
    let from = ''
    for (let turn = 0; turn < 10 && from !== 'end'; turn += 1) {
      const part = await see(bob, top, `?limit=2${from}`)
      assert.ok(part.rooms.length <= 2)
      names.push(...ids(part))
      from = part.next_batch === undefined ? 'end' : `&from=${part.next_batch}`
    }
    assert.deepEqual(names, [top, left, right, a, b])
  })

  it('[SPC2] a page can be asked for again; a token is good for its user and its question only', async () => {
    const top = await aSpace(ann)
    for (let index = 0; index < 3; index += 1) await addChild(ann, [top, await create(ann)])
    const { next_batch: from } = await see(ann, top, '?limit=2')
    const second = await see(ann, top, `?limit=2&from=${from}`)
    assert.equal(second.rooms.length, 2)
    assert.deepEqual(await see(ann, top, `?limit=2&from=${from}`), second)
    const refused = async (user: TestUser, space: string, query: string) => {
      const { status, body } = await user.request('GET', path(space, query))
      assert.deepEqual([status, body.errcode], [400, 'M_INVALID_PARAM'], query)
    }
    await refused(bob, top, `?from=${from}`)
    await refused(ann, await aSpace(ann), `?from=${from}`)
    for (const query of [`?from=${from}&max_depth=1`, `?from=${from}&suggested_only=true`, '?from=x', '?limit=0']) {
      await refused(ann, top, query)
    }
    await refused(ann, top, '?max_depth=-1')
    await refused(ann, top, '?limit=many')
  })

  it('only rooms that the user is in, could join or may look into are shown, and not what is below others', async () => {
    const top = await aSpace(ann)
    const key = await create(ann, { preset: 'private_chat', invite: [bob.userId] })
    await bob.ok('POST', `/join/${key}`, {})
    const withRule = (content: object) =>
      create(ann, { preset: 'private_chat', initial_state: [{ type: 'm.room.join_rules', content }] })
    const allow = (roomId: string) => ({
      join_rule: 'restricted',
      allow: [{ type: 'm.room_membership', room_id: roomId }],
    })
    const mine = await create(ann, { preset: 'private_chat' })
    const shown = [
      await create(ann),
      await create(ann, { preset: 'private_chat', invite: [bob.userId] }),
      await withRule(allow(key)),
      await withRule({ join_rule: 'knock' }),
      await create(ann, {
        preset: 'private_chat',
        initial_state: [{ type: 'm.room.history_visibility', content: { history_visibility: 'world_readable' } }],
      }),
    ]
    const banned = await create(ann)
    await ann.ok('POST', `/rooms/${banned}/ban`, { user_id: bob.userId })
    const closed = await aSpace(ann, { preset: 'private_chat' })
    const below = await create(ann)
    await addChild(ann, [closed, below])
    const hidden = [await create(ann, { preset: 'private_chat' }), await withRule(allow(mine)), banned, closed]
    for (const child of [...shown, ...hidden]) await addChild(ann, [top, child])
    assert.deepEqual(ids(await see(bob, top)).sort(), [top, ...shown].sort())
    assert.equal(ids(await see(ann, top)).length, 11)
    for (const room of [closed, '!unknown:example.org']) {
      const { status, body } = await bob.request('GET', path(room))
      assert.deepEqual([status, body.errcode], [403, 'M_FORBIDDEN'])
    }
  })

  it('[SPC1] a walk ends after so many rooms and levels', async () => {
    const [top, one, two] = [await aSpace(ann), await create(ann), await create(ann)]
    await addChild(ann, [top, one], { order: '1' })
    await addChild(ann, [top, two], { order: '2' })
    const { walks } = homeserver.parts.spaces
    const userNid = (await homeserver.parts.dictionary.userNid(ann.userId as UserId))!
    const resumed = (seen: number, depth: number): Promise<Page> => {
      const question = { roomId: top as RoomId, suggestedOnly: false, maxDepth: undefined }
      const met = new Set(Array.from({ length: seen }, (_, index) => `!${index}:example.org` as RoomId))
      const stops = [{ roomId: top as RoomId, depth, via: [], told: undefined }]
      return see(ann, top, `?from=${walks.keep({ userNid, question, stops, seen: met })}`)
    }
    assert.deepEqual(ids(await resumed(4_998, 0)), [top, one])
    assert.equal((await resumed(4_998, 0)).next_batch, undefined)
    assert.deepEqual(ids(await resumed(0, 49)), [top, one, two])
    assert.deepEqual(ids(await resumed(0, 50)), [top])
  })

  it('only suggested rooms are walked on request', async () => {
    const top = await aSpace(ann)
    const [inner, plain, below] = [await aSpace(ann), await create(ann), await create(ann)]
    await addChild(ann, [top, inner], { suggested: true })
    await addChild(ann, [top, plain])
    await addChild(ann, [inner, below], { suggested: true })
    const page = await see(ann, top, '?suggested_only=true')
    assert.deepEqual(ids(page), [top, inner, below])
    assert.equal(page.rooms[0]!.children_state.length, 1)
  })
})

describe('/hierarchy over federation', () => {
  it('[SPC3] rooms that are not here are asked of the servers that the space names, and shown if the user could enter', async () => {
    await using federation = await startFederatedHomeservers(['a.example', 'b.example'])
    const [a, b] = federation.servers
    const [ann, bob] = [await a!.user('ann'), await b!.user('bob')]
    const via = { via: ['b.example'] }
    const [inner, far, secret] = [await aSpace(bob), await create(bob), await create(bob, { preset: 'private_chat' })]
    for (const child of [far, secret]) await addChild(bob, [inner, child], via)
    const top = await aSpace(ann)
    await addChild(ann, [top, inner], via)
    await addChild(ann, [top, '!gone:nowhere.example'], { via: ['nowhere.example', 'a.example', '!'] })
    assert.deepEqual(ids(await see(ann, top)), [top, inner, far])
    const asked = () => federation.exchanges.filter(({ target }) => target.includes('/hierarchy/')).length
    const before = asked()
    assert.deepEqual(ids(await see(ann, top)), [top, inner, far])
    assert.equal(asked(), before)
    federation.cutOff('b.example', true)
    assert.deepEqual(ids(await see(ann, top, '?suggested_only=true')), [top])
  })
})

describe('/hierarchy over federation, of a room that admits the members of a space', () => {
  it('[SPC3] is shown to them as soon as its server knows of the space', async () => {
    await using federation = await startFederatedHomeservers(['a.example', 'b.example'])
    const [a, b] = federation.servers
    const [ann, bob, cat] = [await a!.user('ann'), await b!.user('bob'), await a!.user('cat')]
    const looked = { type: 'm.room.history_visibility', content: { history_visibility: 'world_readable' } }
    const top = await aSpace(ann, { initial_state: [looked] })
    const content = { join_rule: 'restricted', allow: [{ type: 'm.room_membership', room_id: top }] }
    const room = await create(bob, { preset: 'private_chat', initial_state: [{ type: 'm.room.join_rules', content }] })
    await addChild(ann, [top, room], { via: ['b.example'] })
    assert.deepEqual(ids(await see(ann, top)), [top])
    const asked = () => federation.exchanges.filter(({ target }) => target.includes('/hierarchy/')).length
    assert.equal(asked(), 1)
    await bob.ok('POST', `/join/${top}?via=a.example`, {})
    assert.deepEqual(ids(await see(ann, top)), [top, room])
    assert.deepEqual(ids(await see(cat, top)), [top])
  })
})

describe('what another server says of a space', () => {
  const id = '!s:b.example' as RoomId
  const room = { room_id: id, num_joined_members: 1, world_readable: false, guest_can_join: false }
  const child = { type: 'm.space.child', state_key: '!c:b.example', sender: '@b:b.example', origin_server_ts: 1 }
  const answer = (more: object): JsonObject => ({ room: { ...room, room_type: 'm.space', ...more } })

  it('[SPC4] is about the room that was asked for, or nothing', () => {
    assert.equal(remoteSpaceOf(answer({}), '!t:b.example' as RoomId, false), undefined)
    for (const bad of [{}, { room: 7 }, { room: [] }, { room: { room_id: id } }]) {
      assert.equal(remoteSpaceOf(bad as unknown as JsonObject, id, false), undefined)
    }
  })

  it('[SPC4] loses whatever is malformed', () => {
    const good = { ...child, content: { via: ['b.example'] } }
    const bad = [7, null, child, { ...good, type: 'x' }, { ...good, state_key: 'c' }, { ...good, sender: 'b' }]
    const worse = [
      { ...good, origin_server_ts: '1' },
      { ...good, content: { via: 'b' } },
      { ...good, content: [] },
    ]
    const space = remoteSpaceOf(answer({ children_state: [...bad, ...worse, good], name: 7, topic: 'x' }), id, false)
    assert.deepEqual(
      space?.children.map(({ stripped }) => stripped),
      [good],
    )
    assert.deepEqual([space.room.name, space.room.topic], [undefined, 'x'])
    assert.equal(remoteSpaceOf(answer({ children_state: [good] }), id, true)?.children.length, 0)
    const plain = remoteSpaceOf({ room: { ...room, children_state: [good] } }, id, false)
    assert.equal(plain?.children.length, 0)
  })

  it('[SPC4] is read up to a bound', () => {
    const many = Array.from({ length: 5_000 }, (_, index) => ({
      ...child,
      state_key: `!${index}:b.example`,
      content: { via: ['b.example'] },
    }))
    assert.equal(remoteSpaceOf(answer({ children_state: many }), id, false)?.children.length, 1_000)
  })
})

test('[SPC2] unfinished walks are forgotten after a while, and the oldest of a user who begins many', async () => {
  const clock = createManualClock()
  const walks = openWalks({ clock, random: createSeededRandom(1) })
  const question = { roomId: '!r:a' as RoomId, suggestedOnly: false, maxDepth: undefined }
  const keep = (userNid: number) => walks.keep({ userNid, question, stops: [], seen: new Set() })
  const others = keep(2)
  const tokens = Array.from({ length: 11 }, () => keep(1))
  const resume = (token: string, userNid = 1) => walks.resume(token, { userNid, question })
  assert.throws(() => resume(tokens[0]!), { errcode: 'M_INVALID_PARAM' })
  assert.ok(resume(tokens[1]!) !== undefined && resume(others, 2) !== undefined)
  await clock.advance(10 * 60_000 + 1)
  assert.throws(() => resume(tokens[1]!), { errcode: 'M_INVALID_PARAM' })
})
