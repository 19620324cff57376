import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { aFarServer, type FarServer } from '../rooms/serve/testing/far-server.ts'
import { startTestHomeserver, type TestHomeserver, type TestUser } from '../testing/homeserver.ts'

describe('/hierarchy for other servers', () => {
  let homeserver: TestHomeserver
  let ann: TestUser
  let far: FarServer
  before(async () => {
    homeserver = await startTestHomeserver()
    ann = await homeserver.user('ann')
    far = await aFarServer(homeserver)
  })
  after(() => homeserver[Symbol.asyncDispose]())

  async function create(body: object): Promise<string> {
    return (await ann.ok('POST', '/createRoom', body)).room_id
  }
  const aSpace = (more: object = {}): Promise<string> =>
    create({ preset: 'public_chat', creation_content: { type: 'm.space' }, ...more })

  async function addChild(space: string, child: string, content: object = {}): Promise<void> {
    const path = `/rooms/${space}/state/m.space.child/${encodeURIComponent(child)}`
    await ann.ok('PUT', path, { via: ['example.org'], ...content })
  }

  const idsOf = (rooms: readonly { readonly room_id: string }[]): string[] => rooms.map(({ room_id }) => room_id)

  it('a space has the rooms that the server could enter as children, and names the others', async () => {
    const space = await aSpace({ name: 'a space' })
    const open = await create({ preset: 'public_chat', name: 'open' })
    const secret = await create({ preset: 'private_chat', name: 'secret' })
    const joined = await create({ preset: 'public_chat' })
    await far.member(joined, 'bob', 'join')
    await ann.ok('PUT', `/rooms/${joined}/state/m.room.join_rules/`, { join_rule: 'invite' })
    const allow = [
      { type: 'm.room_membership', room_id: joined },
      7,
      { type: 'x' },
      { type: 'm.room_membership', room_id: 1 },
    ]
    const restricted = await create({
      preset: 'private_chat',
      initial_state: [{ type: 'm.room.join_rules', content: { join_rule: 'restricted', allow } }],
    })
    for (const child of [open, secret, joined, restricted, '!unknown:elsewhere.example']) await addChild(space, child)
    const body = await far.ok(`/hierarchy/${space}`)
    assert.equal(body.room.name, 'a space')
    assert.equal(body.room.room_type, 'm.space')
    assert.equal(body.room.children_state.length, 5)
    assert.deepEqual(idsOf(body.children).sort(), [open, joined, restricted].sort())
    assert.deepEqual(body.inaccessible_children, [secret])
    const shown = body.children.find((room: { room_id: string }) => room.room_id === restricted)
    assert.deepEqual(shown.allowed_room_ids, [joined])
    assert.ok(!JSON.stringify(body).includes('secret'))
  })

  it('only suggested children are named on request', async () => {
    const space = await aSpace()
    const [one, two] = [await create({ preset: 'public_chat' }), await create({ preset: 'public_chat' })]
    await addChild(space, one, { suggested: true })
    await addChild(space, two, { suggested: 'true' })
    const body = await far.ok(`/hierarchy/${space}?suggested_only=true`)
    assert.deepEqual([idsOf(body.children), body.room.children_state.length], [[one], 1])
    assert.equal((await far.ok(`/hierarchy/${space}`)).children.length, 2)
  })

  it('children follow their order, then their age', async () => {
    const space = await aSpace()
    const rooms: string[] = []
    for (const order of ['b', undefined, 'a', 'x'.repeat(51)]) {
      const room = await create({ preset: 'public_chat' })
      await addChild(space, room, order === undefined ? {} : { order })
      rooms.push(room)
    }
    assert.deepEqual(idsOf((await far.ok(`/hierarchy/${space}`)).children), [rooms[2], rooms[0], rooms[1], rooms[3]])
  })

  it('a room that the server could not enter is answered like one that does not exist', async () => {
    const closed = await aSpace({ preset: 'private_chat' })
    const local = await aSpace({ creation_content: { type: 'm.space', 'm.federate': false } })
    const shutOut = await aSpace()
    await ann.ok('PUT', `/rooms/${shutOut}/state/m.room.server_acl/`, { allow: ['*'], deny: ['far.example'] })
    const unknown = await far.get('/hierarchy/!unknown:example.org')
    assert.deepEqual([unknown.status, unknown.body.errcode], [404, 'M_NOT_FOUND'])
    for (const room of [closed, local, shutOut]) assert.deepEqual(await far.get(`/hierarchy/${room}`), unknown)
  })

  it('a room that is no space has no children, nor do malformed ones count', async () => {
    const plain = await create({ preset: 'public_chat' })
    const open = await create({ preset: 'public_chat' })
    await addChild(plain, open)
    assert.deepEqual((await far.ok(`/hierarchy/${plain}`)).children, [])
    const space = await aSpace()
    for (const via of [undefined, null, [], 'example.org', [1], {}]) {
      const path = `/rooms/${space}/state/m.space.child/${encodeURIComponent(open)}`
      await ann.ok('PUT', path, via === undefined ? {} : { via })
      assert.deepEqual((await far.ok(`/hierarchy/${space}`)).room.children_state, [], JSON.stringify(via))
    }
    await addChild(space, 'no room id')
    await addChild(space, space)
    const body = await far.ok(`/hierarchy/${space}`)
    assert.deepEqual([idsOf(body.children), body.room.children_state.length], [[space], 1])
  })
})
