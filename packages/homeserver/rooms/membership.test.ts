/** Who may come, go, bring and throw out. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { ROOM_VERSIONS } from '@holdfast/protocol/room-version/rules'
import { startTestHomeserver, type TestHomeserver, type TestUser } from '../testing/homeserver.ts'

describe('membership', () => {
  let server: TestHomeserver
  let ann: TestUser
  let bob: TestUser
  let eve: TestUser

  before(async () => {
    server = await startTestHomeserver()
    ann = await server.user('ann')
    bob = await server.user('bob')
    eve = await server.user('eve')
  })
  after(() => server[Symbol.asyncDispose]())

  async function roomOf(user: TestUser, options: object = {}): Promise<string> {
    const { room_id } = await user.ok('POST', '/createRoom', options)
    return `/rooms/${encodeURIComponent(room_id)}`
  }

  async function membershipOf(room: string, user: TestUser): Promise<string> {
    return (await ann.ok('GET', `${room}/state/m.room.member/${encodeURIComponent(user.userId)}`)).membership
  }

  for (const room_version of ROOM_VERSIONS) {
    test(`a room of version ${room_version} takes invitations, messages, kicks, bans and state`, async () => {
      const room = await roomOf(ann, { room_version, name: 'Tea' })
      await ann.ok('POST', `${room}/invite`, { user_id: bob.userId })
      await bob.ok('POST', `${room}/join`, {})
      const { event_id } = await bob.ok('PUT', `${room}/send/m.room.message/v${room_version}`, { body: 'hello' })
      const redaction = await ann.ok('PUT', `${room}/redact/${encodeURIComponent(event_id)}/r${room_version}`, {
        reason: 'no',
      })
      const redacted = await bob.ok('GET', `${room}/event/${encodeURIComponent(event_id)}`)
      assert.deepEqual(redacted.content, {})
      assert.equal(redacted.unsigned.redacted_because.redacts, event_id)
      assert.equal(redacted.unsigned.redacted_by, redaction.event_id)
      await ann.ok('POST', `${room}/kick`, { user_id: bob.userId, reason: 'shoo' })
      assert.equal((await bob.request('PUT', `${room}/send/m.room.message/later`, {})).status, 403)
      await ann.ok('POST', `${room}/ban`, { user_id: bob.userId })
      assert.equal((await bob.request('POST', `${room}/join`, {})).body.errcode, 'M_FORBIDDEN')
      await ann.ok('POST', `${room}/unban`, { user_id: bob.userId })
      assert.equal(await membershipOf(room, bob), 'leave')
      await ann.ok('PUT', `${room}/state/m.room.topic`, { topic: 'leaves' })
      const create = await ann.ok('GET', `${room}/state/m.room.create`)
      assert.equal(create.room_version, room_version)
    })
  }

  test('an uninvited user cannot join a private room, nor learn that it exists', async () => {
    const room = await roomOf(ann)
    const refused = await eve.request('POST', `${room}/join`, {})
    assert.equal(refused.status, 403)
    for (const path of ['/state', '/members', '/messages?dir=b', '/state/m.room.name', '/joined_members', '/aliases']) {
      const answer = await eve.request('GET', room + path)
      const unknown = await eve.request('GET', `/rooms/${encodeURIComponent('!nowhere:example.org')}${path}`)
      assert.deepEqual([answer.status, answer.body], [unknown.status, unknown.body], path)
    }
  })

  test('[ROOM1] joining, leaving and banning twice change nothing the second time', async () => {
    const room = await roomOf(ann, { preset: 'public_chat' })
    await bob.ok('POST', `${room}/join`, {})
    const once = await ann.ok('GET', `${room}/messages?dir=b`)
    await bob.ok('POST', `${room}/join`, {})
    const twice = await ann.ok('GET', `${room}/messages?dir=b`)
    assert.equal(once.chunk[0].event_id, twice.chunk[0].event_id)
    await bob.ok('POST', `${room}/leave`, {})
    await bob.ok('POST', `${room}/leave`, {})
  })

  test('unbanning who is not banned, and kicking who is not there, are refused', async () => {
    const room = await roomOf(ann, { preset: 'public_chat' })
    assert.equal((await ann.request('POST', `${room}/unban`, { user_id: bob.userId })).body.errcode, 'M_BAD_STATE')
    assert.equal((await ann.request('POST', `${room}/kick`, { user_id: bob.userId })).status, 403)
  })

  test('a restricted room admits members of the rooms it names, vouched for by one who may invite', async () => {
    const { room_id: hall } = await ann.ok('POST', '/createRoom', { preset: 'public_chat' })
    const allow = [{ type: 'm.room_membership', room_id: hall }]
    const initial_state = [{ type: 'm.room.join_rules', content: { join_rule: 'restricted', allow } }]
    const room = await roomOf(ann, { initial_state })
    assert.equal((await bob.request('POST', `${room}/join`, {})).status, 403)
    await bob.ok('POST', `/rooms/${encodeURIComponent(hall)}/join`, {})
    await bob.ok('POST', `${room}/join`, {})
    const member = await ann.ok('GET', `${room}/state/m.room.member/${encodeURIComponent(bob.userId)}`)
    assert.equal(member.join_authorised_via_users_server, ann.userId)
  })

  test('a knock is seen by the room, told to the knocker, and answered with an invitation', async () => {
    const initial_state = [{ type: 'm.room.join_rules', content: { join_rule: 'knock' } }]
    const { room_id } = await ann.ok('POST', '/createRoom', { initial_state, name: 'Door' })
    const room = `/rooms/${encodeURIComponent(room_id)}`
    await eve.ok('POST', `/knock/${encodeURIComponent(room_id)}`, { reason: 'please' })
    const knocked = (await eve.ok('GET', '/sync')).rooms.knock[room_id].knock_state.events
    assert.equal(knocked.find((event: { type: string }) => event.type === 'm.room.name').content.name, 'Door')
    await ann.ok('POST', `${room}/invite`, { user_id: eve.userId })
    await eve.ok('POST', `${room}/join`, {})
  })

  test('[ROOM2] what was forgotten is gone from the own history, and a room one is in cannot be forgotten', async () => {
    const room = await roomOf(ann, { preset: 'public_chat' })
    await bob.ok('POST', `${room}/join`, {})
    assert.equal((await bob.request('POST', `${room}/forget`, {})).status, 400)
    await bob.ok('POST', `${room}/leave`, {})
    await bob.ok('GET', `${room}/messages?dir=b`)
    await bob.ok('POST', `${room}/forget`, {})
    assert.equal((await bob.request('GET', `${room}/messages?dir=b`)).status, 403)
  })

  test('[ROOM15] who left reads on to the own departure and no further', async () => {
    const room = await roomOf(ann, { preset: 'public_chat' })
    await bob.ok('POST', `${room}/join`, {})
    await ann.ok('PUT', `${room}/send/m.room.message/before`, { body: 'before' })
    await bob.ok('POST', `${room}/leave`, {})
    await ann.ok('PUT', `${room}/send/m.room.message/after`, { body: 'after' })
    await ann.ok('PUT', `${room}/state/m.room.topic`, { topic: 'secret' })
    const { chunk } = await bob.ok('GET', `${room}/messages?dir=b&limit=100`)
    const bodies = chunk.map((event: { content: { body?: string } }) => event.content.body)
    assert.equal(bodies.includes('before'), true)
    assert.equal(bodies.includes('after'), false)
    assert.equal((await bob.request('GET', `${room}/state/m.room.topic`)).status, 404)
    assert.equal((await bob.request('GET', `${room}/joined_members`)).status, 403)
  })

  test('[ROOM13] who refused an invitation learns nothing of the room by it', async () => {
    const { room_id } = await ann.ok('POST', '/createRoom', { topic: 'secret', invite: [eve.userId] })
    const room = `/rooms/${encodeURIComponent(room_id)}`
    const { next_batch } = await eve.ok('GET', '/sync')
    await eve.ok('POST', `${room}/leave`, {})
    const left = (await eve.ok('GET', `/sync?since=${next_batch}`)).rooms.leave[room_id]
    assert.deepEqual(left.state.events, [])
    assert.equal(left.timeline.events.length, 1)
    assert.equal((await eve.request('GET', `${room}/state`)).status, 403)
  })
})
