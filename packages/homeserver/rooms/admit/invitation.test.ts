import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import type { JsonObject } from '@holdfast/protocol/json/value'
import { rulesFor } from '@holdfast/protocol/room-version/rules'
import {
  startTestHomeserver,
  type TestHomeserver,
  type TestPeer,
  type TestResponse,
  type TestUser,
} from '../../testing/homeserver.ts'
import { finish, part, type PeerEvent } from './testing/peer-events.ts'

const VERSIONS = ['1', '6', '10', '12']
const PEER = 'other.example'
const EVE = `@eve:${PEER}`

type World = {
  readonly server: TestHomeserver
  readonly ann: TestUser
  readonly peer: TestPeer
  readonly version: string
  readonly roomId: string
  readonly create: JsonObject
}

/** A room of the other server, as far as an invitation shows it. */
async function world(t: TestContext, version: string): Promise<World> {
  const server = await startTestHomeserver()
  t.after(() => server[Symbol.asyncDispose]())
  const peer = server.peer(PEER)
  const rules = rulesFor(version)!
  const plainId = `!room:${PEER}`
  const create = finish(peer, version, {
    type: 'm.room.create',
    state_key: '',
    sender: EVE,
    content: { room_version: version, ...(rules.creatorInContent ? { creator: EVE } : {}) },
    depth: 1,
    origin: PEER,
    origin_server_ts: 1_700_000_000_000,
    prev_events: [],
    auth_events: [],
    ...(rules.roomIdIsCreateHash ? {} : { room_id: plainId }),
  })
  const roomId = rules.roomIdIsCreateHash ? `!${create.eventId.slice(1)}` : plainId
  return { server, ann: await server.user('ann'), peer, version, roomId, create: create.body }
}

function invitation(w: World, changes: JsonObject = {}): PeerEvent {
  const edge = w.version === '1' ? ['$before:other.example', { sha256: 'x' }] : `$${'b'.repeat(43)}`
  return finish(w.peer, w.version, {
    type: 'm.room.member',
    state_key: w.ann.userId,
    sender: EVE,
    content: { membership: 'invite' },
    depth: 9,
    origin: PEER,
    origin_server_ts: 1_700_000_000_000,
    prev_events: [edge],
    auth_events: [edge],
    room_id: w.roomId,
    ...changes,
  })
}

function invite(w: World, { eventId, body: event }: PeerEvent, changes: object = {}): Promise<TestResponse> {
  const body = { room_version: w.version, event, invite_room_state: [w.create, NAME], ...changes }
  return w.peer.request('PUT', `/v2/invite/${part(w.roomId)}/${part(eventId)}`, body)
}

const NAME = { type: 'm.room.name', state_key: '', sender: EVE, content: { name: 'Cabin' } }

async function isInvited({ ann, roomId }: World): Promise<boolean> {
  return (await ann.ok('GET', '/sync')).rooms?.invite?.[roomId] !== undefined
}

function refusal({ status, body }: TestResponse): string {
  return `${status} ${body.errcode}`
}

for (const version of VERSIONS) {
  test(`an invitation is signed, and shown with what it says of the room: version ${version}`, async (t) => {
    const w = await world(t, version)
    const event = invitation(w, { origin: PEER })
    const { status, body } = await invite(w, event)
    assert.equal(status, 200, JSON.stringify(body))
    const { signatures } = body.event
    assert.deepEqual(Object.keys(signatures).toSorted(), ['example.org', PEER])
    assert.deepEqual({ ...body.event, signatures: event.body['signatures'] }, event.body)
    const { events } = (await w.ann.ok('GET', '/sync')).rooms.invite[w.roomId].invite_state
    const names = (events as { content: { name?: string } }[]).flatMap(({ content }) => content.name ?? [])
    assert.deepEqual(names, ['Cabin'])
  })

  test(`[ADM1] an invitation that was declined does not come back by being sent again: version ${version}`, async (t) => {
    const w = await world(t, version)
    const event = invitation(w)
    assert.equal((await invite(w, event)).status, 200)
    assert.ok(await isInvited(w))
    // The other server does not answer: the user is out all the same.
    await w.ann.ok('POST', `/rooms/${part(w.roomId)}/leave`, {})
    assert.ok(!(await isInvited(w)))
    assert.equal((await invite(w, event)).status, 200)
    assert.ok(!(await isInvited(w)))
    assert.equal((await invite(w, invitation(w, { depth: 10 }))).status, 200)
    assert.ok(await isInvited(w))
  })

  test(`nothing but an invitation of a user here gets our signature: version ${version}`, async (t) => {
    const w = await world(t, version)
    const changes: Record<string, JsonObject> = {
      'another type': { type: 'm.room.power_levels' },
      'a join': { content: { membership: 'join' } },
      'a leave': { content: { membership: 'leave' } },
      'a membership in capitals': { content: { membership: 'INVITE' } },
      'a membership that is a list': { content: { membership: ['invite'] } },
      'another room': { room_id: '!other:other.example' },
      'a sender here': { sender: w.ann.userId },
      'a sender of a third server': { sender: '@cat:third.example' },
      'nobody invited': { state_key: '' },
      'a user of the other server': { state_key: `@bob:${PEER}` },
      'a user of a third server': { state_key: '@cat:third.example' },
      'a user who does not exist': { state_key: '@nobody:example.org' },
      'auth events that are text': { auth_events: 'x' },
      'a depth below nothing': { depth: -1 },
      'more than fits': { content: { membership: 'invite', x: 'x'.repeat(70_000) } },
    }
    for (const [what, change] of Object.entries(changes)) {
      const { status, body } = await invite(w, invitation(w, change))
      assert.ok(status === 400 || status === 403, `${what} was answered with ${status} ${JSON.stringify(body)}`)
    }
    const { eventId, body } = invitation(w)
    const bad: Record<string, PeerEvent> = {
      'another id': { eventId: version === '1' ? '$b:other.example' : `$${'a'.repeat(43)}`, body },
      'no signature': { eventId, body: { ...body, signatures: {} } },
      'a signature of ours only': { eventId, body: { ...body, signatures: { 'example.org': { 'ed25519:a': 'x' } } } },
      'a wrong hash': { eventId, body: { ...body, hashes: { sha256: 'x' } } },
      'more after the hash': { eventId, body: { ...body, content: { membership: 'invite', x: 1 } } },
    }
    for (const [what, event] of Object.entries(bad)) {
      assert.equal(
        refusal(await invite(w, event)),
        what === 'another id' ? '400 M_INVALID_PARAM' : '403 M_FORBIDDEN',
        what,
      )
    }
    // The rules ask for no signature on these once they are in a room.
    const third = { membership: 'invite', third_party_invite: { display_name: 'x', signed: {} } }
    const claimed = invitation(w, { content: third })
    const unsigned = { ...claimed, body: { ...claimed.body, signatures: {} } }
    assert.equal(refusal(await invite(w, unsigned)), '403 M_FORBIDDEN')
    assert.equal((await invite(w, claimed)).status, 200)
  })

  test(`a room version has to be known, and to be the right one: version ${version}`, async (t) => {
    const w = await world(t, version)
    const unknown = await invite(w, invitation(w), { room_version: 'org.example.1' })
    assert.equal(refusal(unknown), '400 M_INCOMPATIBLE_ROOM_VERSION')
    assert.equal(unknown.body.room_version, 'org.example.1')
    for (const other of VERSIONS.filter((one) => one !== version)) {
      const { status } = await invite(w, invitation(w), { room_version: other })
      // Versions 3 to 10 look alike; elsewhere the hash or the signature does not hold.
      if (status !== 200) assert.ok(status === 400 || status === 403)
    }
  })

  test(`who is in the room already hears of it with the room: version ${version}`, async (t) => {
    const w = await world(t, version)
    const roomId = (await w.ann.ok('POST', '/createRoom', { room_version: version })).room_id as string
    const bob = await w.server.user('bob')
    const event = invitation({ ...w, roomId }, { state_key: bob.userId })
    const create = await w.ann.ok('GET', `/rooms/${part(roomId)}/state/m.room.create`)
    assert.ok(create)
    const answer = await invite({ ...w, roomId }, event)
    // Here the room is known: version 12 wants its create event even so.
    if (version === '12') assert.equal(refusal(answer), '400 M_INVALID_PARAM')
    else assert.equal(answer.status, 200)
    assert.equal((await bob.ok('GET', '/sync')).rooms?.invite?.[roomId], undefined)
  })
}

test('version 1 of the endpoint serves the first rooms', async (t) => {
  const w = await world(t, '1')
  const { eventId, body } = invitation(w)
  const sent = { ...body, unsigned: { invite_room_state: [NAME] } }
  const target = `/v1/invite/${part(w.roomId)}/${part(eventId)}`
  const [status, answer] = await w.peer.ok('PUT', target, sent)
  assert.equal(status, 200)
  assert.ok(answer.event.signatures['example.org'])
  assert.ok(await isInvited(w))
  const later = await world(t, '10')
  const event = invitation(later)
  const refused = await later.peer.request('PUT', `/v1/invite/${part(later.roomId)}/${part(event.eventId)}`, event.body)
  assert.equal(refusal(refused), '400 M_INVALID_PARAM')
})

test('[ADM3] where the id of a room is made of its create event, that has to be shown', async (t) => {
  const w = await world(t, '12')
  const stripped = { type: 'm.room.create', state_key: '', sender: EVE, content: { room_version: '12' } }
  const otherRoom = (await world(t, '12')).create
  const states: Record<string, unknown> = {
    'an empty one': [],
    'a stripped one': [stripped, NAME],
    'that of another room': [{ ...otherRoom, origin_server_ts: 5 }],
    'an unsigned one': [{ ...w.create, signatures: {} }],
    'one beside something of another room': [w.create, { ...NAME, signatures: {}, hashes: {} }],
  }
  for (const [what, invite_room_state] of Object.entries(states)) {
    assert.equal(refusal(await invite(w, invitation(w), { invite_room_state })), '400 M_INVALID_PARAM', what)
  }
  assert.ok(!(await isInvited(w)))
})

test('a user who is gone cannot be invited', async (t) => {
  const w = await world(t, '10')
  const auth = { type: 'm.login.password', identifier: { type: 'm.id.user', user: 'ann' }, password: 'secret-ann' }
  await w.ann.ok('POST', '/account/deactivate', { auth })
  assert.equal(refusal(await invite(w, invitation(w))), '403 M_FORBIDDEN')
})

test('whatever is said of a room beside an invitation, sync goes on', async (t) => {
  const w = await world(t, '10')
  const stripped = (content: unknown) => ({ type: 'm.room.name', state_key: '', sender: EVE, content })
  const states: readonly unknown[] = [
    null,
    {},
    'x',
    5,
    [null],
    [1, 'x', [], {}],
    [stripped(null), stripped('x'), stripped([]), stripped({ name: { a: 1 } })],
    [
      { ...NAME, sender: 5 },
      { ...NAME, state_key: null },
      { ...NAME, type: {} },
    ],
    [
      {
        type: 'm.room.member',
        state_key: w.ann.userId,
        sender: EVE,
        content: { membership: ['join'], is_direct: 'x' },
      },
    ],
    [{ type: 'm.room.create', state_key: '', sender: EVE, content: { type: [], room_version: 5, predecessor: 'x' } }],
    [{ type: '__proto__', state_key: '__proto__', sender: EVE, content: JSON.parse('{"__proto__":{"a":1}}') }],
    Array.from({ length: 20_000 }, () => NAME),
  ]
  for (const [index, invite_room_state] of states.entries()) {
    const { status } = await invite(w, invitation(w, { depth: 20 + index }), { invite_room_state })
    assert.ok(status === 200 || (status >= 400 && status < 500), `${index}: ${status}`)
    for (const path of ['/sync', '/sync?filter={"room":{"state":{"lazy_load_members":true}}}', '/joined_rooms']) {
      assert.equal((await w.ann.request('GET', path)).status, 200, `${index}: ${path}`)
    }
  }
  await w.server.restart()
  assert.ok(await isInvited(w))
  await w.ann.ok('POST', `/rooms/${part(w.roomId)}/leave`, {})
  assert.ok(!(await isInvited(w)))
})
