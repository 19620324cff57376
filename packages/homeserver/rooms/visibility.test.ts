/**
 * Who may read what: every history of a reader in a room, under every history visibility, through every API that reads.
 * What is expected is worked out here from the words of the specification, not by the code under test.
 * <https://spec.matrix.org/v1.19/client-server-api/#room-history-visibility>
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { startTestHomeserver, type TestHomeserver, type TestUser } from '../testing/homeserver.ts'

/** Presence says nothing of rooms. */
const QUIET = { settings: { presence: false } }

const VISIBILITIES = ['world_readable', 'shared', 'invited', 'joined'] as const
type Visibility = (typeof VISIBILITIES)[number]
type Step = 'say' | 'invite' | 'join' | 'leave' | 'kick' | 'ban' | 'unban' | 'forget'

/** What happens to the reader; at each `say` somebody else sends a message and sets the topic. */
const HISTORIES: Readonly<Record<string, readonly Step[]>> = {
  'was never there': ['say'],
  'was invited': ['say', 'invite', 'say'],
  'joined when invited': ['say', 'invite', 'say', 'join', 'say'],
  'joined on their own': ['say', 'join', 'say'],
  left: ['say', 'invite', 'say', 'join', 'say', 'leave', 'say'],
  'was kicked': ['say', 'join', 'say', 'kick', 'say'],
  'was banned': ['say', 'join', 'say', 'ban', 'say'],
  'was banned after leaving': ['say', 'join', 'say', 'leave', 'say', 'ban', 'say'],
  'was banned and unbanned': ['say', 'join', 'say', 'ban', 'say', 'unban', 'say'],
  'was banned while invited': ['say', 'invite', 'say', 'ban', 'say'],
  'was banned as a stranger': ['say', 'ban', 'say'],
  'refused the invitation': ['say', 'invite', 'say', 'leave', 'say'],
  'came back': ['say', 'join', 'say', 'leave', 'say', 'join', 'say'],
  'came back when invited': ['say', 'join', 'say', 'leave', 'say', 'invite', 'say', 'join', 'say'],
  'came back and left again': ['say', 'join', 'say', 'leave', 'say', 'join', 'say', 'kick', 'say'],
  'was invited again after leaving': ['say', 'join', 'say', 'leave', 'say', 'invite', 'say'],
  'refused a second invitation': ['say', 'join', 'say', 'leave', 'say', 'invite', 'say', 'leave', 'say'],
  'forgot the room': ['say', 'join', 'say', 'leave', 'say', 'forget', 'say'],
}

type Membership = 'join' | 'invite' | 'leave' | 'ban' | undefined
const SETS: Partial<Record<Step, Membership>> = {
  invite: 'invite',
  join: 'join',
  leave: 'leave',
  kick: 'leave',
  ban: 'ban',
  unban: 'leave',
}

type Said = { readonly text: string; readonly eventId: string; readonly membership: Membership; readonly token: string }
type Expected = {
  /** `shown`: also found by looking through the room, which ends at the own departure. */
  readonly said: readonly (Said & { readonly visible: boolean; readonly shown: boolean })[]
  /** Whether the room can be looked into at all. */
  readonly access: boolean
  readonly isJoined: boolean
  /** The topic of the state that may be seen. */
  readonly topic: string
}

/** The five rules of the specification, and who may look at a room. */
function expectations(visibility: Visibility, steps: readonly Step[], said: readonly Said[]): Expected {
  let membership: Membership
  let index = 0
  let lastSaidAtJoin = -1
  let departed = -1
  let forgotten = false
  for (const step of steps) {
    if (step === 'say') {
      index += 1
      if (membership === 'join') departed = index - 1
      continue
    }
    if (step === 'forget') forgotten = true
    else membership = SETS[step]
    if (membership === 'join') {
      lastSaidAtJoin = index
      departed = index - 1
    }
  }
  const isOpen = visibility === 'world_readable'
  const isJoined = membership === 'join'
  const wasJoined = lastSaidAtJoin >= 0
  const shown = isOpen || isJoined ? said.length - 1 : departed
  return {
    said: said.map((one, number) => {
      const visible =
        isOpen ||
        one.membership === 'join' ||
        (visibility === 'shared' && number < lastSaidAtJoin) ||
        (visibility === 'invited' && one.membership === 'invite')
      return { ...one, visible, shown: visible && number <= shown }
    }),
    access: isOpen || isJoined || (wasJoined && !forgotten),
    isJoined,
    topic: `topic ${shown}`,
  }
}

describe('what a user reads of a room', () => {
  let server: TestHomeserver
  let ann: TestUser
  let readers = 0
  before(async () => {
    server = await startTestHomeserver(QUIET)
    ann = await server.user('ann')
  })
  after(() => server[Symbol.asyncDispose]())

  async function play(visibility: Visibility, steps: readonly Step[]): Promise<Scene> {
    const reader = await server.user(`reader${(readers += 1)}`)
    const initial_state = [{ type: 'm.room.history_visibility', content: { history_visibility: visibility } }]
    const { room_id: roomId } = await ann.ok('POST', '/createRoom', { preset: 'public_chat', initial_state })
    const room = `/rooms/${encodeURIComponent(roomId)}`
    const said: Said[] = []
    const live = new LiveClient(reader, roomId)
    const streamed: Json[] = []
    const { end: streamFrom } = await reader.ok('GET', '/events')
    let membership: Membership
    for (const step of steps) {
      await live.sync()
      membership = step in SETS ? SETS[step] : membership
      if (step !== 'say') {
        await act(ann, reader, room, step)
        continue
      }
      const number = said.length
      const text = `text ${number}`
      const path = `${room}/send/m.room.message/${number}`
      const { event_id: eventId } = await ann.ok('PUT', path, { body: text, msgtype: 'm.text' })
      await ann.ok('PUT', `${room}/state/m.room.topic`, { topic: `topic ${number}` })
      said.push({ text, eventId, membership, token: (await ann.ok('GET', '/sync')).next_batch })
    }
    await live.sync()
    streamed.push(await reader.ok('GET', `/events?from=${streamFrom}`))
    return { reader, roomId, room, live, streamed, expected: expectations(visibility, steps, said) }
  }

  for (const visibility of VISIBILITIES) {
    for (const [history, steps] of Object.entries(HISTORIES)) {
      test(`who ${history} in a room whose history is ${visibility}`, async () => {
        const scene = await play(visibility, steps)
        await checkPages(scene)
        await checkSingleEvents(scene)
        await checkState(scene)
        await checkMembers(scene)
        await checkSync(scene)
        await checkOldSync(scene)
      })
    }
  }
})

test('[ROOM10] a state that was reached before the reader came tells nothing of what stood there before', async () => {
  await using server = await startTestHomeserver(QUIET)
  const ann = await server.user('ann')
  const bob = await server.user('bob')
  const initial_state = [{ type: 'm.room.history_visibility', content: { history_visibility: 'joined' } }]
  const { room_id } = await ann.ok('POST', '/createRoom', { preset: 'public_chat', initial_state, topic: 'once' })
  const room = `/rooms/${encodeURIComponent(room_id)}`
  await ann.ok('PUT', `${room}/state/m.room.topic`, { topic: 'now' })
  await bob.ok('POST', `${room}/join`, {})
  const reads = ['/state', '/state/m.room.topic/?format=event', '/members', '/messages?dir=b', '/initialSync']
  const answers = await Promise.all(reads.map((path) => bob.ok('GET', room + path)))
  answers.push(await bob.ok('GET', '/sync'), await bob.ok('GET', '/initialSync'))
  const whole = JSON.stringify(answers)
  assert.equal(whole.includes('"now"'), true)
  assert.equal(whole.includes('"once"'), false)
})

test('[ROOM11] who left learns that a message of their time was redacted, but not why', async () => {
  await using server = await startTestHomeserver(QUIET)
  const ann = await server.user('ann')
  const bob = await server.user('bob')
  const { room_id } = await ann.ok('POST', '/createRoom', { preset: 'public_chat' })
  const room = `/rooms/${encodeURIComponent(room_id)}`
  await bob.ok('POST', `${room}/join`, {})
  const { event_id } = await ann.ok('PUT', `${room}/send/m.room.message/1`, { body: 'regretted' })
  await bob.ok('POST', `${room}/leave`, {})
  await ann.ok('PUT', `${room}/redact/${encodeURIComponent(event_id)}/2`, { reason: 'because' })
  for (const [reader, knowsWhy] of [
    [ann, true],
    [bob, false],
  ] as const) {
    const { content, unsigned } = await reader.ok('GET', `${room}/event/${encodeURIComponent(event_id)}`)
    assert.deepEqual(content, {})
    assert.equal(unsigned.redacted_because.type, 'm.room.redaction')
    assert.equal(unsigned.redacted_because.content.reason, knowsWhy ? 'because' : undefined)
  }
})

test('no API shows what was redacted, before or after a restart', async () => {
  await using server = await startTestHomeserver(QUIET)
  const ann = await server.user('ann')
  const { room_id } = await ann.ok('POST', '/createRoom', { preset: 'public_chat' })
  const room = `/rooms/${encodeURIComponent(room_id)}`
  const { next_batch } = await ann.ok('GET', '/sync')
  const ids: string[] = []
  ids.push((await ann.ok('PUT', `${room}/send/m.room.message/1`, { body: 'regretted' })).event_id)
  ids.push((await ann.ok('PUT', `${room}/state/m.room.topic`, { topic: 'regretted' })).event_id)
  await ann.ok('PUT', `${room}/state/m.room.topic`, { topic: 'better' })
  for (const [index, id] of ids.entries()) await ann.ok('PUT', `${room}/redact/${encodeURIComponent(id)}/r${index}`, {})
  for (const restart of [false, true]) {
    if (restart) await server.restart()
    const reads = ['/state', '/messages?dir=b', '/messages?dir=f', '/initialSync']
    for (const id of ids.map(encodeURIComponent)) reads.push(`/event/${id}`, `/context/${id}`)
    const answers = await Promise.all(reads.map((path) => ann.ok('GET', room + path)))
    const others = ['/sync', `/sync?since=${next_batch}`, `/events?from=${next_batch}`, '/initialSync']
    for (const path of [...others, ...ids.map((id) => `/events/${encodeURIComponent(id)}`)]) {
      answers.push(await ann.ok('GET', path))
    }
    assert.equal(JSON.stringify(answers).includes('regretted'), false)
  }
})

test('a transaction id is shown to the device that chose it and to nobody else', async () => {
  await using server = await startTestHomeserver(QUIET)
  const ann = await server.user('ann')
  const bob = await server.user('bob')
  const login = { type: 'm.login.password', identifier: { type: 'm.id.user', user: 'ann' }, password: 'secret-ann' }
  const { access_token: otherToken } = await server.ok('POST', '/login', { body: login })
  const { room_id } = await ann.ok('POST', '/createRoom', { preset: 'public_chat' })
  const room = `/rooms/${encodeURIComponent(room_id)}`
  await bob.ok('POST', `${room}/join`, {})
  const { next_batch } = await bob.ok('GET', '/sync')
  const { event_id } = await ann.ok('PUT', `${room}/send/m.room.message/my-transaction`, { body: 'hello' })
  const redacted = await ann.ok('PUT', `${room}/send/m.room.message/my-transaction-2`, { body: 'oops' })
  await ann.ok('PUT', `${room}/redact/${encodeURIComponent(redacted.event_id)}/my-transaction-3`, {})
  const id = encodeURIComponent(event_id)
  const reads = [`${room}/messages?dir=b`, `${room}/event/${id}`, `${room}/context/${id}`, '/sync', '/initialSync']
  reads.push(`/sync?since=${next_batch}`, `/events?from=${next_batch}`, `${room}/initialSync`, `/events/${id}`)
  for (const path of reads) {
    const seen = async (token: string): Promise<boolean> =>
      JSON.stringify(await server.ok('GET', path, { token })).includes('my-transaction')
    assert.equal(await seen(ann.token), true, path)
    assert.equal(await seen(bob.token), false, path)
    assert.equal(await seen(otherToken), false, path)
  }
})

// oxlint-disable-next-line typescript/no-explicit-any -- a test looks where it expects something
type Json = any

type Scene = {
  readonly reader: TestUser
  readonly roomId: string
  readonly room: string
  readonly live: LiveClient
  readonly streamed: readonly Json[]
  readonly expected: Expected
}

async function act(ann: TestUser, reader: TestUser, room: string, step: Step): Promise<void> {
  const isOwn = step === 'join' || step === 'leave' || step === 'forget'
  if (isOwn) await reader.ok('POST', `${room}/${step}`, {})
  else await ann.ok('POST', `${room}/${step}`, { user_id: reader.userId })
}

/** A client that follows along from the beginning. */
class LiveClient {
  readonly seen: Json[] = []
  readonly #reader: TestUser
  readonly #roomId: string
  #since = ''
  constructor(reader: TestUser, roomId: string) {
    this.#reader = reader
    this.#roomId = roomId
  }
  async sync(): Promise<void> {
    const answer = await this.#reader.ok('GET', `/sync?filter={"room":{"timeline":{"limit":50}}}${this.#since}`)
    this.#since = `&since=${answer.next_batch}`
    const { join = {}, leave = {} } = answer.rooms ?? {}
    for (const rooms of [join, leave]) if (rooms[this.#roomId] !== undefined) this.seen.push(rooms[this.#roomId])
  }
}

/** The texts in an answer: what may not be read is nowhere in it, not in `unsigned` nor anywhere else. */
function assertNothingHidden(answer: unknown, { expected }: Scene, what: string): void {
  const whole = JSON.stringify(answer)
  for (const { text, visible } of expected.said) {
    if (!visible) assert.equal(whole.includes(`"${text}"`), false, `${what} shows ${text}`)
  }
}

function textsIn(events: readonly Json[]): readonly string[] {
  return events.filter(({ type }) => type === 'm.room.message').map(({ content }) => content.body)
}

function visibleTexts({ expected }: Scene): readonly string[] {
  return expected.said.filter(({ shown }) => shown).map(({ text }) => text)
}

async function checkPages(scene: Scene): Promise<void> {
  const { reader, room, expected } = scene
  for (const dir of ['b', 'f']) {
    const found: Json[] = []
    let from = ''
    for (let page = 0; page < 50; page += 1) {
      const answer = await reader.request('GET', `${room}/messages?dir=${dir}&limit=3${from}`)
      if (!expected.access) {
        assert.deepEqual([answer.status, answer.body.errcode], [403, 'M_FORBIDDEN'])
        break
      }
      assert.equal(answer.status, 200)
      assertNothingHidden(answer.body, scene, `messages ${dir}`)
      found.push(...answer.body.chunk)
      if (answer.body.end === undefined) break
      from = `&from=${answer.body.end}`
    }
    const texts = dir === 'b' ? textsIn(found).toReversed() : textsIn(found)
    assert.deepEqual(texts, expected.access ? visibleTexts(scene) : [], `messages ${dir}`)
  }
}

async function checkSingleEvents(scene: Scene): Promise<void> {
  const { reader, room, expected } = scene
  for (const { eventId, text, visible, shown } of expected.said) {
    const id = encodeURIComponent(eventId)
    const status = expected.access ? (visible ? 200 : 404) : 403
    const event = await reader.request('GET', `${room}/event/${id}`)
    // The specification has one answer for events that do not exist and for those that may not be seen.
    assert.equal(event.status, status === 403 ? 404 : status, `event ${text}`)
    const context = await reader.request('GET', `${room}/context/${id}?limit=60`)
    assert.equal(context.status, status, `context of ${text}`)
    assertNothingHidden([event.body, context.body], scene, 'event and context')
    const single = await reader.request('GET', `/events/${id}`)
    if (!visible) assert.equal(single.status, 404)
    if (status !== 200 || !shown) continue
    const { events_before, events_after } = context.body
    const texts = [...textsIn(events_before).toReversed(), text, ...textsIn(events_after)]
    assert.deepEqual(texts, visibleTexts(scene), `context of ${text}`)
  }
}

async function checkState(scene: Scene): Promise<void> {
  const { reader, room, expected } = scene
  const state = await reader.request('GET', `${room}/state`)
  const topic = await reader.request('GET', `${room}/state/m.room.topic/`)
  const aliases = await reader.request('GET', `${room}/aliases`)
  const status = expected.access ? 200 : 403
  assert.deepEqual(
    [state.status, topic.status],
    [status === 200 ? 200 : 403, status === 200 ? topicStatus(expected) : 403],
  )
  const isOpen = expected.said.every(({ visible }) => visible) && !expected.isJoined && expected.access
  assert.equal(aliases.status, expected.isJoined || isOpen ? 200 : 403)
  if (status !== 200) return
  const shown = state.body.find(({ type }: Json) => type === 'm.room.topic')
  assert.equal(shown?.content.topic, topicStatus(expected) === 200 ? expected.topic : undefined)
  if (topic.status === 200) assert.equal(topic.body.topic, expected.topic)
}

/** Who left before the first topic never sees one. */
function topicStatus({ topic }: Expected): 200 | 404 {
  return topic === 'topic -1' ? 404 : 200
}

async function checkMembers(scene: Scene): Promise<void> {
  const { reader, room, expected } = scene
  assert.equal((await reader.request('GET', `${room}/members`)).status, expected.access ? 200 : 403)
  assert.equal((await reader.request('GET', `${room}/joined_members`)).status, expected.isJoined ? 200 : 403)
  const lastShown = expected.said.findLastIndex(({ shown }) => shown)
  for (const [index, { token, text, shown }] of expected.said.entries()) {
    const answer = await reader.request('GET', `${room}/members?at=${token}`)
    // Behind the own departure everything is as it was then.
    const isAfter = index > lastShown && !expected.isJoined
    assert.equal(answer.status, expected.access && (shown || isAfter) ? 200 : 403, `members at ${text}`)
    if (answer.status !== 200) continue
    const own = answer.body.chunk.find(({ state_key }: Json) => state_key === reader.userId)
    if (!isAfter) assert.equal(own?.content.membership, expected.said[index]!.membership, `membership at ${text}`)
  }
}

async function checkSync(scene: Scene): Promise<void> {
  const { reader, roomId, expected, live } = scene
  const filter = JSON.stringify({ room: { include_leave: true, timeline: { limit: 50 } } })
  const all = await reader.ok('GET', `/sync?filter=${encodeURIComponent(filter)}`)
  assertNothingHidden(all, scene, 'the first sync')
  const section = all.rooms?.join?.[roomId] ?? all.rooms?.leave?.[roomId]
  if (expected.isJoined) {
    assert.deepEqual(textsIn(await wholeTimeline(scene, section.timeline)), visibleTexts(scene))
    assert.equal(topicIn(section), expected.topic)
  } else if (section !== undefined) {
    assert.deepEqual(textsIn(await wholeTimeline(scene, section.timeline)), textsWhileThere(scene, section))
  }
  const few = await reader.ok('GET', '/sync')
  assert.equal(few.rooms?.leave?.[roomId], undefined, 'rooms that were left are told of on request only')
  assertNothingHidden(few, scene, 'a sync without rooms that were left')
  assertNothingHidden(live.seen, scene, 'following with sync')
  const followed = new Set(live.seen.flatMap(({ timeline }) => textsIn(timeline.events)))
  const missed = expected.said.filter(({ membership, text }) => membership === 'join' && !followed.has(text))
  assert.deepEqual(missed, [], 'following with sync misses nothing that was said while the reader was there')
}

/** With what comes before, if there is more. */
async function wholeTimeline({ reader, room }: Scene, timeline: Json): Promise<readonly Json[]> {
  if (timeline.limited !== true) return timeline.events
  const before = await reader.ok('GET', `${room}/messages?dir=b&limit=100&from=${timeline.prev_batch}`)
  return [...before.chunk.toReversed(), ...timeline.events]
}

/** What a room that was left tells: everything readable up to the departure. */
function textsWhileThere(scene: Scene, section: Json): readonly string[] {
  const last = scene.expected.said.findLastIndex(({ membership }) => membership === 'join')
  if (section.timeline.events.length === 1 && last < 0) return []
  return scene.expected.said.filter(({ visible }, index) => visible && index <= last).map(({ text }) => text)
}

function topicIn({ state, timeline }: Json): string | undefined {
  return [...state.events, ...timeline.events].findLast(({ type }) => type === 'm.room.topic')?.content.topic
}

async function checkOldSync(scene: Scene): Promise<void> {
  const { reader, roomId, room, expected, streamed } = scene
  assertNothingHidden(streamed, scene, '/events')
  const joinedTexts = expected.said.filter(({ membership }) => membership === 'join').map(({ text }) => text)
  const streamedTexts = new Set(textsIn(streamed.flatMap(({ chunk }) => chunk)))
  if (expected.isJoined)
    for (const text of joinedTexts.slice(-1)) assert.equal(streamedTexts.has(text), true, '/events')
  for (const archived of [true, false]) {
    const snapshot = await reader.ok('GET', `/initialSync?archived=${archived}&limit=50`)
    assertNothingHidden(snapshot, scene, '/initialSync')
    const mine = snapshot.rooms.find(({ room_id }: Json) => room_id === roomId)
    if (expected.isJoined) assert.deepEqual(textsIn(mine.messages.chunk), visibleTexts(scene))
  }
  const one = await reader.request('GET', `${room}/initialSync`)
  assert.equal(one.status, expected.access ? 200 : 403)
  assertNothingHidden(one.body, scene, 'initialSync of the room')
  if (one.status === 200) assert.deepEqual(textsIn(one.body.messages.chunk), visibleTexts(scene))
}
