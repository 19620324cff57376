import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { OutgoingFailed } from '@holdfast/platform/http/client'
import { parsePdu } from '@holdfast/protocol/event/format'
import type { JsonObject, JsonValue } from '@holdfast/protocol/json/value'
import { rulesFor } from '@holdfast/protocol/room-version/rules'
import { startTestHomeserver, type TestHomeserver, type TestPeer, type TestUser } from '../../testing/homeserver.ts'
import { publishedKeys } from '../../testing/peer.ts'
import { finish, part, type PeerEvent } from '../admit/testing/peer-events.ts'
import { type Answers, edges, PEER, scripted } from '../receive/testing/lying-peer.ts'

const EVE = `@eve:${PEER}`
const FEDERATION = '/_matrix/federation'
const DAY_MS = 24 * 3_600_000

type World = {
  readonly server: TestHomeserver
  readonly ann: TestUser
  readonly peer: TestPeer
  readonly version: string
  readonly roomId: string
  readonly state: readonly PeerEvent[]
  readonly template: JsonObject
  readonly answers: Answers
  readonly asked: string[]
  /** What we sent to be let in or out. */
  readonly submitted: JsonObject[]
}

/** A public room of another server, which says what it likes of it. */
async function world(t: TestContext, version: string): Promise<World> {
  const asked: string[] = []
  const submitted: JsonObject[] = []
  const answers: Answers = new Map([
    ['/_matrix/key/v2/server', publishedKeys(PEER, { validUntilTs: Date.now() + DAY_MS })],
  ])
  const server = await startTestHomeserver({ http: scripted({ asked, answers }) })
  t.after(() => server[Symbol.asyncDispose]())
  const [ann, peer] = [await server.user('ann'), server.peer(PEER)]
  const { roomId, state, template } = farRoom(peer, version, ann.userId)
  return { server, ann, peer, version, roomId, state, template, answers, asked, submitted }
}

function farRoom(
  peer: TestPeer,
  version: string,
  joiner: string,
): { readonly roomId: string; readonly state: PeerEvent[]; readonly template: JsonObject } {
  const rules = rulesFor(version)!
  const plainId = `!far:${PEER}`
  const base = { sender: EVE, origin_server_ts: 1_700_000_000_000, ...(rules.originField ? { origin: PEER } : {}) }
  const creation = { room_version: version, ...(rules.creatorInContent ? { creator: EVE } : {}) }
  const first = {
    ...base,
    type: 'm.room.create',
    state_key: '',
    content: creation,
    depth: 1,
    prev_events: [],
    auth_events: [],
  }
  const create = finish(peer, version, rules.roomIdIsCreateHash ? first : { ...first, room_id: plainId })
  const roomId = rules.roomIdIsCreateHash ? `!${create.eventId.slice(1)}` : plainId
  const state = [create]
  const cite = (events: readonly (PeerEvent | undefined)[]): JsonValue =>
    edges(
      { version },
      events.flatMap((one) => (one === undefined || (rules.roomIdIsCreateHash && one === create) ? [] : [one.eventId])),
    )
  const add = (type: string, key: string, content: JsonObject): void => {
    const auth = cite([create, state[2], state[1]])
    const next = { ...base, type, state_key: key, content, room_id: roomId, depth: state.length + 1 }
    state.push(finish(peer, version, { ...next, auth_events: auth, prev_events: cite0(version, state.at(-1)!) }))
  }
  add('m.room.member', EVE, { membership: 'join' })
  add('m.room.power_levels', '', { users: rules.roomIdIsCreateHash ? {} : { [EVE]: 100 } })
  add('m.room.join_rules', '', { join_rule: 'public' })
  const template = {
    type: 'm.room.member',
    state_key: joiner,
    sender: joiner,
    room_id: roomId,
    content: { membership: 'join' },
    origin_server_ts: 5,
    depth: 6,
    prev_events: cite0(version, state.at(-1)!),
    auth_events: cite([create, state[2], state[3]]),
  }
  return { roomId, state, template }
}

function cite0(version: string, one: PeerEvent): JsonValue {
  return edges({ version }, [one.eventId])
}

function offers(w: World, answer: JsonValue, told?: { readonly state: readonly JsonValue[] }): void {
  w.answers.set(`${FEDERATION}/v1/make_*`, answer)
  const submit = (body: JsonObject): JsonValue | undefined => {
    w.submitted.push(body)
    return told === undefined ? undefined : { state: [...told.state], auth_chain: [...told.state], origin: PEER }
  }
  for (const action of ['send_join', 'send_leave']) w.answers.set(`${FEDERATION}/v2/${action}/*`, submit)
  w.answers.set(`${FEDERATION}/v1/send_knock/*`, submit)
}

async function join({ ann, roomId }: World): Promise<string> {
  const { status, body } = await ann.request('POST', `/join/${part(roomId)}?server_name=${part(PEER)}`, {})
  return `${status} ${status === 200 ? '' : body.errcode}`.trim()
}

async function isJoined({ ann, roomId }: World): Promise<boolean> {
  return (await ann.ok('GET', '/joined_rooms')).joined_rooms.includes(roomId)
}

function honestState({ state }: World): JsonObject[] {
  return state.map(({ body }) => body)
}

function secondCreate({ peer, version, state }: World): JsonObject {
  return finish(peer, version, { ...state[0]!.body, origin_server_ts: 7 }).body
}

const CHANGES: Record<string, JsonObject> = {
  'another type': { type: 'm.room.power_levels', state_key: '', content: { users: { [EVE]: 100 } } },
  'another sender': { sender: '@root:example.org' },
  'a sender of a third server': { sender: '@cat:third.example' },
  'another user': { state_key: '@root:example.org' },
  'another room': { room_id: '!victim:example.org' },
  'another membership': { content: { membership: 'ban' } },
  'more content': { content: { membership: 'join', users: { [EVE]: 100 }, displayname: 'Eve was here' } },
  'content that is none': { content: 'x' },
  'members of its own': {
    redacts: '$x:y',
    unsigned: { a: 1 },
    hashes: { sha256: 'x' },
    signatures: { a: { b: 'c' } },
    event_id: '$x:y',
  },
  'a time of its own': { origin_server_ts: 1 },
  'a voucher that is no user': {
    content: { membership: 'join', join_authorised_via_users_server: 'x'.repeat(70_000) },
  },
  'a depth below nothing': { depth: -7 },
  'a depth that is a fraction': { depth: 1.5 },
  'a depth beyond all': { depth: 1e300 },
  'a depth that is text': { depth: '6' },
  'edges that are none': { prev_events: 'x' },
  'edges of other forms': { prev_events: [null, {}, []] },
  'edges of the wrong version': { prev_events: ['$a'], auth_events: [['$a:b', { sha256: 5 }]] },
  'edges without end': {
    prev_events: Array.from({ length: 1_000 }, (_, index) => `$${String(index).padStart(43, 'a')}`),
  },
  'long edges': { auth_events: [`$${'a'.repeat(5_000)}`] },
}

for (const version of ['1', '6', '10', '12']) {
  test(`of a template nothing is signed but our own member event: version ${version}`, async (t) => {
    const w = await world(t, version)
    const actions = { join: 'join', knock: 'knock' }
    for (const [action, membership] of Object.entries(actions)) {
      for (const [what, change] of Object.entries(CHANGES)) {
        offers(w, { room_version: version, event: { ...w.template, ...change } })
        const { status } = await w.ann.request('POST', `/${action}/${part(w.roomId)}?server_name=${part(PEER)}`, {})
        assert.ok(status !== 200 && status !== 500, `${action}: ${what} was answered with ${status}`)
      }
      assert.ok(w.submitted.length > 0)
      for (const { type, sender, state_key: key, room_id: roomId, content, signatures, unsigned } of w.submitted.splice(
        0,
      )) {
        assert.deepEqual([type, sender, key, roomId], ['m.room.member', w.ann.userId, w.ann.userId, w.roomId])
        const { displayname: name, ...rest } = content as JsonObject
        assert.ok(name === undefined || name === 'ann')
        assert.deepEqual(rest, { membership })
        assert.deepEqual([Object.keys(signatures as JsonObject), unsigned], [['example.org'], undefined])
      }
    }
    assert.ok(!(await isJoined(w)))
  })

  test(`a room whose version is not what it was said to be is not joined, and then it is: version ${version}`, async (t) => {
    const w = await world(t, version)
    const state = honestState(w)
    for (const claimed of ['2', '5', '9', '11', 'org.example.1', 12, [], '']) {
      offers(w, { room_version: claimed, event: w.template }, { state })
      const outcome = await join(w)
      assert.ok(outcome.startsWith('4') || outcome === '502 M_UNKNOWN', `${String(claimed)}: ${outcome}`)
      assert.ok(!(await isJoined(w)))
    }
    offers(w, { room_version: version, event: w.template }, { state })
    assert.equal(await join(w), '200')
    assert.ok(await isJoined(w))
    await w.ann.ok('PUT', `/rooms/${part(w.roomId)}/send/m.room.message/1`, { body: 'here' })
  })

  test(`what is not sound in a state does not keep us out of the room: version ${version}`, async (t) => {
    const w = await world(t, version)
    const state = honestState(w)
    const last = w.state.at(-1)!
    const more = (changes: JsonObject): JsonObject =>
      finish(w.peer, version, { ...last.body, type: 'm.room.topic', content: { topic: 'x' }, ...changes }).body
    const unsound: JsonValue[] = [
      { ...more({}), signatures: { [PEER]: { [w.peer.key.keyId]: 'A'.repeat(86) } } },
      { ...more({ type: 'a' }), signatures: {} },
      { ...more({ type: 'b' }), depth: 2 ** 53 },
      { ...more({ type: 'c' }), depth: 'x' },
      { ...more({ type: 'd' }), content: { topic: 'x'.repeat(70_000) } },
      more({ type: 'e', room_id: `!other:${PEER}` }),
      more({ type: 'f', sender: '@nobody:third.example' }),
      { ...more({ type: 'g' }), auth_events: [[[]]] },
      { type: 'm.room.name' },
      {},
      [],
      5,
      null,
    ]
    const odd = more({ type: 'org.example.unknown', state_key: 'odd', content: { deep: [[[]]], displayname: 5 } })
    const member = more({
      type: 'm.room.member',
      state_key: EVE,
      content: { membership: 'join', displayname: { a: 1 }, avatar_url: [5] },
    })
    offers(w, { room_version: version, event: w.template }, { state: [...state, odd, member, ...unsound] })
    assert.equal(await join(w), '200')
    const shown = (await w.ann.ok('GET', `/rooms/${part(w.roomId)}/state`)) as { type: string; state_key: string }[]
    const types = shown.map(({ type }) => type).filter((type) => type.length === 1 || type === 'm.room.topic')
    assert.deepEqual(types, [])
    assert.ok(shown.some(({ type }) => type === 'org.example.unknown'))
    assert.equal((await w.ann.request('GET', '/sync')).status, 200)
    await w.ann.ok('PUT', `/rooms/${part(w.roomId)}/send/m.room.message/1`, { body: 'here' })
  })

  test(`[ROOM7] a join that cannot be begun here is taken back: version ${version}`, async (t) => {
    const w = await world(t, version)
    const [create, ...others] = honestState(w)
    const states: Record<string, readonly JsonValue[]> = {
      'no create event': others,
      nothing: [],
      'a create event that was changed': [
        { ...create!, content: { room_version: version, creator: '@x:y' } },
        ...others,
      ],
      'only the create event': [create!],
      // With another create event a room of version 12 is another room, whose events are none of this one.
      ...(version === '12' ? {} : { 'two create events': [...honestState(w), secondCreate(w)] }),
    }
    for (const [what, state] of Object.entries(states)) {
      w.submitted.length = 0
      offers(w, { room_version: version, event: w.template }, { state })
      assert.match(await join(w), /^4\d\d M_/, what)
      assert.ok(!(await isJoined(w)))
      const memberships = w.submitted.map(({ content }) => (content as JsonObject)['membership'])
      assert.deepEqual(memberships, ['join', 'leave'], what)
    }
    offers(w, { room_version: version, event: w.template }, { state: honestState(w) })
    assert.equal(await join(w), '200')
  })

  test(`[ROOM7] a join whose answer was lost is taken back: version ${version}`, async (t) => {
    const w = await world(t, version)
    const lost: Record<string, JsonValue | OutgoingFailed> = {
      'nothing in time': new OutgoingFailed('timeout', 'x', { maybeSent: true }),
      'the connection': new OutgoingFailed('unreachable', 'x', { maybeSent: true }),
      'what is no JSON': new OutgoingFailed('bad-response', 'x'),
      'what is no object': 5,
    }
    for (const [what, answer] of Object.entries(lost)) {
      w.submitted.length = 0
      offers(w, { room_version: version, event: w.template })
      w.answers.set(`${FEDERATION}/v2/send_join/*`, () => {
        if (answer instanceof OutgoingFailed) throw answer
        return answer
      })
      assert.match(await join(w), /^50[24] M_UNKNOWN$/, what)
      const memberships = w.submitted.map(({ content }) => (content as JsonObject)['membership'])
      assert.deepEqual(memberships, ['leave'], what)
    }
    // Who never heard of the join has nothing to take back.
    const unheard = new OutgoingFailed('unreachable', 'x', { maybeSent: false })
    for (const answer of [unheard, undefined]) {
      w.submitted.length = 0
      w.answers.set(`${FEDERATION}/v2/send_join/*`, () => {
        if (answer !== undefined) throw answer
        return undefined
      })
      assert.notEqual(await join(w), '200')
      assert.deepEqual(w.submitted, [])
    }
    offers(w, { room_version: version, event: w.template }, { state: honestState(w) })
    assert.equal(await join(w), '200')
  })

  test(`[ROOM8] an invitation that names a wrong version keeps nobody out: version ${version}`, async (t) => {
    const w = await world(t, version)
    // Rooms of version 12 have ids of another form: there is nothing to be wrong about.
    const wrong = { '1': '2', '6': '10', '10': '6', '12': '12' }[version]!
    const { eventId, body } = finish(w.peer, wrong, {
      ...w.template,
      sender: EVE,
      content: { membership: 'invite' },
      origin: PEER,
    })
    const invite = { room_version: wrong, event: body, invite_room_state: wrong === '12' ? [honestState(w)[0]!] : [] }
    await w.peer.ok('PUT', `/v2/invite/${part(w.roomId)}/${part(eventId)}`, invite)
    assert.ok((await w.ann.ok('GET', '/sync')).rooms.invite[w.roomId])
    offers(w, { room_version: version, event: w.template }, { state: honestState(w) })
    assert.equal(await join(w), '200')
    await w.server.restart()
    assert.ok(await isJoined(w))
    await w.ann.ok('PUT', `/rooms/${part(w.roomId)}/send/m.room.message/1`, { body: 'here' })
  })

  test(`[ROOM8] an invitation is declined in the version of its room, whatever was said of the room since: version ${version}`, async (t) => {
    const w = await world(t, version)
    const cat = await w.server.user('cat')
    const create = honestState(w)[0]!
    const change = { sender: EVE, content: { membership: 'invite' }, origin: PEER }
    // Rooms of version 12 have ids of another form: nobody can say that they have another version.
    const wrong = { '1': '10', '6': '1', '10': '2', '12': '12' }[version]!
    for (const [userId, said] of [
      [w.ann.userId, version],
      [cat.userId, wrong],
    ] as const) {
      const edges = said === version ? {} : { prev_events: [], auth_events: [] }
      const { eventId, body } = finish(w.peer, said, { ...w.template, ...change, ...edges, state_key: userId })
      const invite = { room_version: said, event: body, invite_room_state: [create] }
      await w.peer.ok('PUT', `/v2/invite/${part(w.roomId)}/${part(eventId)}`, invite)
    }
    await w.server.restart()
    assert.ok((await w.ann.ok('GET', '/sync')).rooms.invite[w.roomId])
    offers(w, { room_version: version, event: { ...w.template, content: { membership: 'leave' } } })
    // Asked for by path: it says there which id it is.
    const put = (path: string): boolean => path.startsWith(`${FEDERATION}/v2/send_leave/`)
    await w.ann.ok('POST', `/rooms/${part(w.roomId)}/leave`, {})
    assert.equal(w.submitted.length, 1)
    const parsed = parsePdu(w.submitted[0]!, rulesFor(version)!)
    assert.ok(parsed.ok)
    assert.equal(w.asked.filter(put).at(-1), `${FEDERATION}/v2/send_leave/${w.roomId}/${parsed.pdu.eventId}`)
    assert.equal((await w.ann.ok('GET', '/sync')).rooms?.invite?.[w.roomId], undefined)
    assert.ok((await cat.ok('GET', '/sync')).rooms.invite[w.roomId])
    await w.server.restart()
    for (const user of [w.ann, cat]) assert.equal((await user.request('GET', '/sync')).status, 200)
    await cat.ok('POST', `/rooms/${part(w.roomId)}/leave`, {})
  })

  test(`whatever the other server answers, an invitation is declined, with nothing signed but that: version ${version}`, async (t) => {
    const w = await world(t, version)
    const create = honestState(w)[0]!
    const change = {
      sender: EVE,
      content: { membership: 'invite' },
      origin: PEER,
    }
    for (const [index, [what, changes]] of Object.entries(CHANGES).entries()) {
      const { eventId, body } = finish(w.peer, version, { ...w.template, ...change, depth: 9 + index })
      const invite = { room_version: version, event: body, invite_room_state: [create] }
      await w.peer.ok('PUT', `/v2/invite/${part(w.roomId)}/${part(eventId)}`, invite)
      offers(w, { room_version: version, event: { ...w.template, ...changes } })
      await w.ann.ok('POST', `/rooms/${part(w.roomId)}/leave`, {})
      assert.equal((await w.ann.ok('GET', '/sync')).rooms?.invite?.[w.roomId], undefined, what)
    }
    assert.ok(w.submitted.length > 0)
    for (const { type, sender, state_key: key, room_id: roomId, content } of w.submitted) {
      assert.deepEqual([type, sender, key, roomId], ['m.room.member', w.ann.userId, w.ann.userId, w.roomId])
      assert.equal((content as JsonObject)['membership'], 'leave')
    }
  })
}
