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
import { finish, part, template, type PeerEvent } from './testing/peer-events.ts'

const VERSIONS = ['1', '6', '10', '12']
const PEER = 'other.example'
const BOB = `@bob:${PEER}`

type World = {
  readonly server: TestHomeserver
  readonly ann: TestUser
  readonly peer: TestPeer
  readonly version: string
  readonly roomId: string
}

async function world(t: TestContext, version: string, more: object = { preset: 'public_chat' }): Promise<World> {
  const server = await startTestHomeserver()
  t.after(() => server[Symbol.asyncDispose]())
  const ann = await server.user('ann')
  const roomId = (await ann.ok('POST', '/createRoom', { room_version: version, ...more })).room_id as string
  return { server, ann, peer: server.peer(PEER), version, roomId }
}

async function membershipOf({ ann, roomId }: World, userId: string): Promise<string | undefined> {
  const { body } = await ann.request('GET', `/rooms/${part(roomId)}/state/m.room.member/${part(userId)}`)
  return body.membership
}

function setState({ ann, roomId }: World, type: string, content: object): Promise<unknown> {
  return ann.ok('PUT', `/rooms/${part(roomId)}/state/${type}`, content)
}

type Action = 'join' | 'leave' | 'knock'

async function submission(w: World, action: Action, changes: JsonObject = {}): Promise<PeerEvent> {
  const event = await template(w.peer, action, { ...w, userId: BOB })
  return finish(w.peer, w.version, { ...event, ...changes })
}

function submit(w: World, action: Action, { eventId, body }: PeerEvent, roomId = w.roomId): Promise<TestResponse> {
  const api = action === 'knock' ? 'v1' : 'v2'
  return w.peer.request('PUT', `/${api}/send_${action}/${part(roomId)}/${part(eventId)}`, body)
}

async function admit(w: World, action: Action): Promise<TestResponse['body']> {
  const { status, body } = await submit(w, action, await submission(w, action))
  assert.equal(status, 200, JSON.stringify(body))
  return body
}

function refusal({ status, body }: TestResponse): string {
  return `${status} ${body.errcode}`
}

for (const version of VERSIONS) {
  test(`who joins is told the state before, and all that allows it: version ${version}`, async (t) => {
    const w = await world(t, version)
    const event = await submission(w, 'join')
    const first = await submit(w, 'join', event)
    assert.equal(first.status, 200)
    const types = (first.body.state as { type: string }[]).map(({ type }) => type)
    assert.ok(types.includes('m.room.create') && types.includes('m.room.power_levels'))
    assert.ok(!(first.body.state as { state_key: string }[]).some(({ state_key }) => state_key === BOB))
    assert.ok((first.body.auth_chain as { type: string }[]).some(({ type }) => type === 'm.room.create'))
    assert.equal(await membershipOf(w, BOB), 'join')
    const again = await submit(w, 'join', event)
    assert.deepEqual(again.body, first.body)
    const old = await w.peer.ok('PUT', `/v1/send_join/${part(w.roomId)}/${part(event.eventId)}`, event.body)
    assert.deepEqual(old, [200, first.body])
    for (const name of ['members_omitted', 'servers_in_room']) assert.ok(!Object.hasOwn(first.body, name), name)
  })

  test(`a server that can wait is spared the members: version ${version}`, async (t) => {
    const w = await world(t, version, { preset: 'public_chat', name: 'Port' })
    const { eventId, body } = await submission(w, 'join')
    const target = `/v2/send_join/${part(w.roomId)}/${part(eventId)}?omit_members=true`
    const answer = await w.peer.ok('PUT', target, body)
    assert.equal(answer.members_omitted, true)
    assert.deepEqual(answer.servers_in_room, ['example.org'])
    const state = answer.state as { type: string }[]
    assert.ok(!state.some(({ type }) => type === 'm.room.member'))
    // What allows the join is told all the same.
    const chain = answer.auth_chain as { type: string; state_key: string }[]
    assert.ok(chain.some(({ type, state_key }) => type === 'm.room.member' && state_key === w.ann.userId))
  })

  test(`a room without a name is told with the members it is called by: version ${version}`, async (t) => {
    const w = await world(t, version)
    const { eventId, body } = await submission(w, 'join')
    const target = `/v2/send_join/${part(w.roomId)}/${part(eventId)}?omit_members=true`
    const state = (await w.peer.ok('PUT', target, body)).state as { type: string; state_key: string }[]
    const members = state.filter(({ type }) => type === 'm.room.member').map(({ state_key }) => state_key)
    assert.deepEqual(members, [w.ann.userId])
  })

  test(`nothing but a member event of its own user gets in: version ${version}`, async (t) => {
    const w = await world(t, version)
    const good = await template(w.peer, 'join', { ...w, userId: BOB })
    const join = { membership: 'join' }
    const other = (await w.ann.ok('POST', '/createRoom', { room_version: version, preset: 'public_chat' })).room_id
    const changes: Record<string, JsonObject> = {
      'another type': { type: 'm.room.message' },
      'a type that is no text': { type: 5 },
      'another room': { room_id: other },
      'no room': { room_id: null },
      'a sender of the room': { sender: w.ann.userId, state_key: w.ann.userId },
      'a sender of a third server': { sender: '@cat:third.example', state_key: '@cat:third.example' },
      'another state key': { state_key: w.ann.userId },
      'another user of the server': { state_key: `@eve:${PEER}` },
      'an empty state key': { state_key: '' },
      'a ban': { content: { membership: 'ban' } },
      'an invite': { content: { membership: 'invite' } },
      'a leave': { content: { membership: 'leave' } },
      'no membership': { content: {} },
      'content that is a list': { content: [] },
      'no auth events': { auth_events: [] },
      'auth events that are no list': { auth_events: {} },
      'auth events of an event that nobody has': {
        auth_events: version === '1' ? [['$no:x', { sha256: 'x' }]] : ['$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'],
      },
      'no previous events': { prev_events: [] },
      'previous events that nobody has': {
        prev_events: version === '1' ? [['$no:x', { sha256: 'x' }]] : ['$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'],
      },
      'previous events that are no ids': { prev_events: [5, null] },
      'a depth that is no number': { depth: 'x' },
      'a time that is no number': { origin_server_ts: {} },
      'a huge content': { content: { ...join, x: 'x'.repeat(70_000) } },
      'a voucher here who does not exist': {
        content: { ...join, join_authorised_via_users_server: '@nobody:example.org' },
      },
    }
    for (const [what, change] of Object.entries(changes)) {
      // Vouchers are a matter of later versions, and just words in earlier ones.
      if (what.includes('voucher') && (version === '1' || version === '6')) continue
      const event = finish(w.peer, version, { ...good, ...change })
      const { status } = await submit(w, 'join', event)
      assert.ok(status === 400 || status === 403, `${what} was answered with ${status}`)
    }
    assert.equal(await membershipOf(w, BOB), undefined)
    assert.equal(await membershipOf(w, w.ann.userId), 'join')
  })

  test(`[ADM4] an event that is not whole or not signed gets in nowhere: version ${version}`, async (t) => {
    const w = await world(t, version)
    const { eventId, body } = await submission(w, 'join')
    const { signatures, hashes } = body as { signatures: JsonObject; hashes: { sha256: string } }
    const bad: Record<string, PeerEvent> = {
      'no signatures': { eventId, body: { ...body, signatures: {} } },
      'no member signatures': {
        eventId,
        body: Object.fromEntries(Object.entries(body).filter(([k]) => k !== 'signatures')),
      },
      'signatures of somebody else': { eventId, body: { ...body, signatures: { 'third.example': signatures[PEER]! } } },
      'a signature that does not hold': {
        eventId,
        body: { ...body, signatures: { [PEER]: { [w.peer.key.keyId]: 'A'.repeat(86) } } },
      },
      'signatures that are text': { eventId, body: { ...body, signatures: 'x' } },
      'no hashes': { eventId, body: { ...body, hashes: {} } },
      'a wrong hash': { eventId, body: { ...body, hashes: { sha256: `${hashes.sha256.slice(1)}A` } } },
      'more after the hash': { eventId, body: { ...body, content: { membership: 'join', displayname: 'Bo' } } },
      'another id': { eventId: version === '1' ? '$b:other.example' : `$${'a'.repeat(43)}`, body },
      nothing: { eventId, body: {} },
    }
    const malformed = new Set(['signatures that are text', 'no hashes', 'another id'])
    for (const [what, event] of Object.entries(bad)) {
      const wanted = malformed.has(what) ? '400 M_INVALID_PARAM' : '403 M_FORBIDDEN'
      assert.equal(refusal(await submit(w, 'join', event)), wanted, what)
      for (const action of ['leave', 'knock'] as const) {
        assert.match(
          refusal(await submit(w, action, event)),
          /^400 M_INVALID_PARAM$|^403 M_FORBIDDEN$/,
          `${what}, ${action}`,
        )
      }
    }
    assert.equal(await membershipOf(w, BOB), undefined)
  })

  test(`[ADM4] a number that no event of the room may have is bad JSON: version ${version}`, async (t) => {
    const w = await world(t, version)
    const { eventId, body } = await submission(w, 'join')
    for (const number of [1.5, 2 ** 53]) {
      const event = { eventId, body: { ...body, content: { membership: 'join', number } } }
      const unsigned = { eventId, body: { ...event.body, signatures: {}, depth: 'x' } }
      const { strictCanonicalJson: strict } = rulesFor(version)!
      for (const action of ['join', 'leave', 'knock'] as const) {
        const answers = [await submit(w, action, event), await submit(w, action, unsigned)].map(refusal)
        const wanted = strict ? ['400 M_BAD_JSON', '400 M_BAD_JSON'] : ['403 M_FORBIDDEN', '400 M_INVALID_PARAM']
        assert.deepEqual(answers, wanted, `${number}, ${action}`)
      }
    }
  })

  test(`a server acts for its own users only, in rooms that are here: version ${version}`, async (t) => {
    const w = await world(t, version)
    const ask = async (roomId: string, userId: string, query = `?ver=${version}`) =>
      refusal(await w.peer.request('GET', `/v1/make_join/${part(roomId)}/${part(userId)}${query}`))
    assert.equal(await ask(w.roomId, w.ann.userId), '403 M_FORBIDDEN')
    assert.equal(await ask(w.roomId, '@cat:third.example'), '403 M_FORBIDDEN')
    assert.equal(await ask('!nowhere:example.org', BOB), '404 M_NOT_FOUND')
    assert.equal(await ask(w.roomId, BOB, '?ver=3&ver=no'), '400 M_INCOMPATIBLE_ROOM_VERSION')
    if (version !== '1') assert.equal(await ask(w.roomId, BOB, ''), '400 M_INCOMPATIBLE_ROOM_VERSION')
    const event = await submission(w, 'join')
    assert.equal(refusal(await submit(w, 'join', event, '!nowhere:example.org')), '404 M_NOT_FOUND')
    const other = (await w.ann.ok('POST', '/createRoom', { room_version: version, preset: 'public_chat' })).room_id
    assert.equal(refusal(await submit(w, 'join', event, other)), '400 M_INVALID_PARAM')
    await w.ann.ok('POST', `/rooms/${part(w.roomId)}/leave`, {})
    assert.equal(await ask(w.roomId, BOB), '404 M_NOT_FOUND')
    assert.equal(refusal(await submit(w, 'join', event)), '404 M_NOT_FOUND')
  })

  test(`[ADM5] who may not join is told so at once, and when the room changed meanwhile: version ${version}`, async (t) => {
    const w = await world(t, version)
    const early = await submission(w, 'join')
    await w.ann.ok('POST', `/rooms/${part(w.roomId)}/ban`, { user_id: BOB })
    const ask = () => w.peer.request('GET', `/v1/make_join/${part(w.roomId)}/${part(BOB)}?ver=${version}`)
    assert.equal(refusal(await ask()), '403 M_FORBIDDEN')
    assert.equal(refusal(await submit(w, 'join', early)), '403 M_FORBIDDEN')
    // And it stays so when it is shown once more.
    assert.equal(refusal(await submit(w, 'join', early)), '403 M_FORBIDDEN')
    assert.equal(await membershipOf(w, BOB), 'ban')
    await w.ann.ok('POST', `/rooms/${part(w.roomId)}/unban`, { user_id: BOB })
    await setState(w, 'm.room.join_rules', { join_rule: 'invite' })
    assert.equal(refusal(await ask()), '403 M_FORBIDDEN')
    await setState(w, 'm.room.join_rules', { join_rule: 'public' })
    const open = await submission(w, 'join')
    await setState(w, 'm.room.server_acl', { allow: ['*'], deny: [PEER] })
    assert.equal(refusal(await ask()), '403 M_FORBIDDEN')
    assert.equal(refusal(await submit(w, 'join', open)), '403 M_FORBIDDEN')
    assert.equal(await membershipOf(w, BOB), 'leave')
  })

  test(`a member leaves, once: version ${version}`, async (t) => {
    const w = await world(t, version)
    await admit(w, 'join')
    const event = await submission(w, 'leave')
    const old = await w.peer.ok('PUT', `/v1/send_leave/${part(w.roomId)}/${part(event.eventId)}`, event.body)
    assert.deepEqual(old, [200, {}])
    assert.deepEqual((await submit(w, 'leave', event)).body, {})
    assert.equal(await membershipOf(w, BOB), 'leave')
    const target = `/v1/make_leave/${part(w.roomId)}/${part(BOB)}`
    assert.equal(refusal(await w.peer.request('GET', target)), '403 M_FORBIDDEN')
    // The join of before does not bring the user back.
    await admit(w, 'join')
    assert.equal((await submit(w, 'leave', event)).status, 200)
    assert.equal(await membershipOf(w, BOB), 'join')
  })

  test(`knocks are for rooms that want them: version ${version}`, async (t) => {
    const w = await world(t, version)
    const target = `/v1/make_knock/${part(w.roomId)}/${part(BOB)}?ver=${version}`
    assert.equal(refusal(await w.peer.request('GET', target)), '403 M_FORBIDDEN')
    if (version !== '10' && version !== '12') return
    await setState(w, 'm.room.join_rules', { join_rule: 'knock' })
    const { knock_room_state: state } = await admit(w, 'knock')
    assert.ok((state as { type: string; signatures: object }[]).every(({ signatures }) => signatures !== undefined))
    assert.ok((state as { type: string }[]).some(({ type }) => type === 'm.room.create'))
    assert.equal(await membershipOf(w, BOB), 'knock')
    await admit(w, 'leave')
    assert.equal(await membershipOf(w, BOB), 'leave')
  })
}

for (const version of ['10', '12']) {
  test(`a join to a restricted room needs a condition and a voucher: version ${version}`, async (t) => {
    const w = await world(t, version, { preset: 'private_chat' })
    const space = {
      ...w,
      roomId: (await w.ann.ok('POST', '/createRoom', { room_version: version, preset: 'public_chat' })).room_id,
    }
    const ask = () => w.peer.request('GET', `/v1/make_join/${part(w.roomId)}/${part(BOB)}?ver=${version}`)
    const allow = (room_id: string) =>
      setState(w, 'm.room.join_rules', { join_rule: 'restricted', allow: [{ type: 'm.room_membership', room_id }] })
    await allow('!nowhere:third.example')
    assert.equal(refusal(await ask()), '400 M_UNABLE_TO_AUTHORISE_JOIN')
    await allow(space.roomId)
    assert.equal(refusal(await ask()), '403 M_FORBIDDEN')
    await admit(space, 'join')
    const event = await template(w.peer, 'join', { ...w, userId: BOB })
    assert.equal((event['content'] as JsonObject)['join_authorised_via_users_server'], w.ann.userId)
    const unvouched = finish(w.peer, version, { ...event, content: { membership: 'join' } })
    assert.equal(refusal(await submit(w, 'join', unvouched)), '403 M_FORBIDDEN')
    const carl = await w.server.user('carl')
    for (const voucher of [carl.userId, '@nobody:example.org']) {
      const content = { membership: 'join', join_authorised_via_users_server: voucher }
      const named = await submit(w, 'join', finish(w.peer, version, { ...event, content }))
      assert.equal(refusal(named), '400 M_UNABLE_TO_GRANT_JOIN')
    }
    await admit(space, 'leave')
    const vouched = finish(w.peer, version, event)
    assert.equal(refusal(await submit(w, 'join', vouched)), '403 M_FORBIDDEN')
    await admit(space, 'join')
    const answer = await submit(w, 'join', vouched)
    assert.equal(answer.status, 200)
    assert.deepEqual(Object.keys(answer.body.event.signatures).toSorted(), ['example.org', PEER])
    assert.equal(await membershipOf(w, BOB), 'join')
  })
}
