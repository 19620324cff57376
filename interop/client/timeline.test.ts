import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Direction, EventTimeline, Filter, MsgType, Preset, RelationType, RoomEvent } from 'matrix-js-sdk'
import {
  bodiesOf,
  eventOf,
  eventually,
  newDevice,
  newUser,
  pause,
  QUIET_MS,
  refusedWith,
  roomOf,
  roomWith,
  type Session,
  timelineOf,
} from './session.ts'
import { serverForTests } from './suite.ts'

const server = await serverForTests()
let ann: Session
let bob: Session

test('two people sign up and sync', async () => {
  ann = await newUser(server, 'ann')
  bob = await newUser(server, 'bob')
})

test('a message arrives once, in both clients, with the sender’s transaction id for its own device only', async () => {
  const roomId = await roomWith(ann, bob)
  const { event_id: eventId } = await ann.client.sendTextMessage(roomId, 'hello', 'txn-1')
  const mine = await eventOf(ann, roomId, eventId)
  const theirs = await eventOf(bob, roomId, eventId)
  assert.equal(mine.getUnsigned().transaction_id, 'txn-1')
  assert.equal(theirs.getUnsigned().transaction_id, undefined)
  assert.equal(theirs.getContent().body, 'hello')
  assert.equal(theirs.getSender(), ann.userId)
  await pause(QUIET_MS)
  assert.deepEqual([bodiesOf(ann, roomId), bodiesOf(bob, roomId)], [['hello'], ['hello']])
})

test('the same transaction id gives the same event', async () => {
  const roomId = await roomWith(ann, bob)
  const path = `/rooms/${encodeURIComponent(roomId)}/send/m.room.message/again`
  const content = { msgtype: 'm.text', body: 'once' }
  const send = () => ann.client.http.authedRequest<{ event_id: string }>('PUT' as never, path, undefined, content)
  const [first, second] = await Promise.all([send(), send()])
  const third = await send()
  assert.equal(first.event_id, second.event_id)
  assert.equal(first.event_id, third.event_id)
  await eventOf(bob, roomId, third.event_id)
  await pause(QUIET_MS)
  assert.deepEqual(bodiesOf(bob, roomId), ['once'])
})

test('many messages of two people at once come in one order for both', async () => {
  const roomId = await roomWith(ann, bob)
  const sends = [ann, bob].map(async ({ client, name }) => {
    for (let n = 0; n < 25; n += 1) await client.sendTextMessage(roomId, `${name} ${n}`)
  })
  await Promise.all(sends)
  await eventually(() => bodiesOf(ann, roomId).length === 50 && bodiesOf(bob, roomId).length === 50)
  for (const { name } of [ann, bob]) {
    const own = bodiesOf(bob, roomId).filter((body) => body.startsWith(name))
    assert.deepEqual(
      own,
      Array.from({ length: 25 }, (_, n) => `${name} ${n}`),
    )
  }
  // The SDK keeps a sender's own echoes where it put them; a client that starts anew shows the order of the server.
  const ann2 = await newDevice(server, ann, { start: { initialSyncLimit: 60 } })
  const bob2 = await newDevice(server, bob, { start: { initialSyncLimit: 60 } })
  assert.equal(bodiesOf(ann2, roomId).length, 50)
  assert.deepEqual(bodiesOf(ann2, roomId), bodiesOf(bob2, roomId))
})

test('scrollback reaches the first event, page by page, with nothing twice', async () => {
  const roomId = await roomWith(ann, bob)
  for (let n = 0; n < 45; n += 1) await ann.client.sendTextMessage(roomId, `line ${n}`)
  const reader = await newDevice(server, bob, { start: { initialSyncLimit: 5 } })
  const room = await roomOf(reader, roomId)
  assert.equal(timelineOf(reader, roomId).length, 5)
  for (let page = 0; page < 20 && room.oldState.paginationToken !== null; page += 1) {
    await reader.client.scrollback(room, 7)
  }
  assert.equal(room.oldState.paginationToken, null, 'the beginning was reached')
  const events = timelineOf(reader, roomId)
  assert.equal(events[0]?.getType(), 'm.room.create')
  assert.equal(new Set(events.map((event) => event.getId())).size, events.length)
  assert.deepEqual(
    bodiesOf(reader, roomId),
    Array.from({ length: 45 }, (_, n) => `line ${n}`),
  )
})

test('after a gap the client fills it by paging, and has everything once', async () => {
  const roomId = await roomWith(ann, bob)
  await ann.client.sendTextMessage(roomId, 'line 0')
  const reader = await newDevice(server, bob, { start: { initialSyncLimit: 4 } })
  const room = await roomOf(reader, roomId)
  let resets = 0
  room.on(RoomEvent.TimelineReset, () => {
    resets += 1
  })
  reader.client.stopClient()
  for (let n = 1; n <= 30; n += 1) await ann.client.sendTextMessage(roomId, `line ${n}`)
  await reader.client.startClient({ initialSyncLimit: 4, pollTimeout: 1000 })
  await eventually(() => bodiesOf(reader, roomId).at(-1) === 'line 30')
  assert.ok(resets > 0, 'the timeline was limited')
  assert.ok(bodiesOf(reader, roomId).length < 30)
  const fresh = await roomOf(reader, roomId)
  for (let page = 0; page < 20 && fresh.oldState.paginationToken !== null; page += 1) {
    await reader.client.scrollback(fresh, 10)
  }
  // The part before the gap and the part after it are two timelines, which paging has joined.
  const parts = [fresh.getLiveTimeline()]
  for (
    let part = parts[0];
    part !== undefined;
    part = part.getNeighbouringTimeline(EventTimeline.BACKWARDS) ?? undefined
  ) {
    if (part !== parts[0]) parts.unshift(part)
  }
  assert.deepEqual(
    parts.flatMap((part) => part.getEvents().flatMap((event) => event.getContent().body ?? [])),
    Array.from({ length: 31 }, (_, n) => `line ${n}`),
  )
})

test('a link to an old event opens there, and pages both ways to the ends', async () => {
  const roomId = await roomWith(ann, bob)
  const ids: string[] = []
  for (let n = 0; n < 30; n += 1) ids.push((await ann.client.sendTextMessage(roomId, `page ${n}`)).event_id)
  const reader = await newDevice(server, bob, { start: { initialSyncLimit: 2 } })
  const room = await roomOf(reader, roomId)
  const timelineSet = room.getUnfilteredTimelineSet()
  const timeline = await reader.client.getEventTimeline(timelineSet, ids[12] ?? '')
  assert.ok(timeline !== null)
  const bodies = () => timeline.getEvents().flatMap((event) => event.getContent().body ?? [])
  assert.ok(bodies().includes('page 12') && !bodies().includes('page 0'))
  for (let page = 0; page < 10; page += 1) {
    if (!(await reader.client.paginateEventTimeline(timeline, { backwards: true, limit: 9 }))) break
  }
  // Forwards it meets the live timeline, which has the newest two.
  for (let page = 0; page < 10; page += 1) {
    if (timeline.getNeighbouringTimeline(EventTimeline.FORWARDS) !== null) break
    await reader.client.paginateEventTimeline(timeline, { backwards: false, limit: 9 })
  }
  const live = timeline.getNeighbouringTimeline(EventTimeline.FORWARDS)
  const rest = live === null ? [] : live.getEvents().flatMap((event) => event.getContent().body ?? [])
  assert.deepEqual(
    [...bodies(), ...rest],
    Array.from({ length: 30 }, (_, n) => `page ${n}`),
  )
  assert.equal(timeline.getEvents()[0]?.getType(), 'm.room.create')
})

test('pages in both directions hold the same events', async () => {
  const roomId = await roomWith(ann)
  for (let n = 0; n < 12; n += 1) await ann.client.sendTextMessage(roomId, `both ${n}`)
  const walk = async (direction: Direction): Promise<string[]> => {
    const ids: string[] = []
    let from: string | null = null
    for (let page = 0; page < 20; page += 1) {
      const { chunk, end } = await ann.client.createMessagesRequest(roomId, from, 5, direction)
      ids.push(...chunk.map((event) => event.event_id))
      if (end === undefined) return ids
      from = end
    }
    throw new Error('the pages never end')
  }
  const backwards = await walk(Direction.Backward)
  const forwards = await walk(Direction.Forward)
  assert.equal(new Set(backwards).size, backwards.length)
  assert.deepEqual(forwards, backwards.toReversed())
})

test('a redaction takes the content away, in the timeline and for later readers', async () => {
  const roomId = await roomWith(ann, bob)
  const { event_id: eventId } = await ann.client.sendTextMessage(roomId, 'a secret')
  const seen = await eventOf(bob, roomId, eventId)
  const { event_id: redactionId } = await ann.client.redactEvent(roomId, eventId, undefined, { reason: 'oops' })
  await eventually(() => seen.isRedacted())
  assert.deepEqual(seen.getContent(), {})
  assert.equal(seen.getUnsigned().redacted_because?.event_id, redactionId)
  const fetched = await bob.client.fetchRoomEvent(roomId, eventId)
  assert.deepEqual(fetched.content, {})
  const reader = await newDevice(server, bob)
  const later = await eventOf(reader, roomId, eventId)
  assert.equal(later.isRedacted(), true)
  assert.equal(later.getUnsigned().redacted_because?.content?.['reason'], 'oops')
})

test('people redact what is theirs, and others’ only with the power', async () => {
  const roomId = await roomWith(ann, bob)
  const { event_id: anns } = await ann.client.sendTextMessage(roomId, 'ann’s')
  const { event_id: bobs } = await bob.client.sendTextMessage(roomId, 'bob’s')
  await refusedWith('M_FORBIDDEN', bob.client.redactEvent(roomId, anns))
  await ann.client.redactEvent(roomId, bobs)
  const seen = await eventOf(bob, roomId, bobs)
  await eventually(() => seen.isRedacted())
})

test('an edit replaces the text in the other client', async () => {
  const roomId = await roomWith(ann, bob)
  const { event_id: eventId } = await ann.client.sendTextMessage(roomId, 'fisrt')
  const seen = await eventOf(bob, roomId, eventId)
  await ann.client.sendMessage(roomId, {
    msgtype: MsgType.Text,
    body: '* first',
    'm.new_content': { msgtype: MsgType.Text, body: 'first' },
    'm.relates_to': { rel_type: RelationType.Replace, event_id: eventId },
  })
  await eventually(() => seen.getContent().body === 'first')
})

test('with lazy loading a client knows the senders, and the others when it asks', async () => {
  const { room_id: roomId } = await ann.client.createRoom({ preset: Preset.PublicChat, name: 'The crowd' })
  const crowd: Session[] = []
  for (let n = 0; n < 8; n += 1) {
    const member = await newUser(server, `crowd${n}`, { start: false })
    await member.client.joinRoom(roomId)
    crowd.push(member)
  }
  await bob.client.joinRoom(roomId)
  const [speaker] = crowd
  assert.ok(speaker !== undefined)
  const { event_id: spoken } = await speaker.client.sendTextMessage(roomId, 'good evening')

  const reader = await newDevice(server, bob, { start: { initialSyncLimit: 1, lazyLoadMembers: true } })
  const room = await roomOf(reader, roomId)
  await eventOf(reader, roomId, spoken)
  const known = () => room.currentState.getMembers().map(({ userId }) => userId)
  assert.ok(known().includes(speaker.userId) && known().includes(bob.userId))
  assert.ok(known().length < 10, 'not everybody is in the first sync')
  assert.equal(room.getJoinedMemberCount(), 10)

  const second = crowd[1]!
  await second.client.sendTextMessage(roomId, 'and me')
  await eventually(() => known().includes(second.userId), 'the new speaker’s member event')
  await room.loadMembersIfNeeded()
  assert.equal(room.getJoinedMembers().length, 10)
})

test('a filter of the client keeps away what it does not ask for', async () => {
  const roomId = await roomWith(ann, bob)
  const filter = Filter.fromJson(bob.userId, '', {
    room: { timeline: { types: ['m.room.message'], not_senders: [bob.userId], limit: 10 } },
  })
  const filterId = await bob.client.getOrCreateFilter('MESSAGES_OF_OTHERS', filter)
  const stored = await bob.client.getFilter(bob.userId, filterId, false)
  assert.deepEqual(stored.getDefinition().room?.timeline?.types, ['m.room.message'])
  const reader = await newDevice(server, bob, { start: { filter } })
  await bob.client.sendTextMessage(roomId, 'own')
  await ann.client.setRoomTopic(roomId, 'a topic')
  const { event_id: eventId } = await ann.client.sendTextMessage(roomId, 'from ann')
  await eventOf(reader, roomId, eventId)
  assert.deepEqual(
    timelineOf(reader, roomId).map((event) => event.getContent().body),
    ['from ann'],
  )
  const state = reader.client.getRoom(roomId)?.currentState.getStateEvents('m.room.topic', '')
  assert.equal(state?.getContent().topic, 'a topic', 'state that the timeline leaves out still arrives')
})

test('history visibility: who is invited late reads from the invite, the join, or the beginning', async () => {
  const readable = async (visibility: string): Promise<string[]> => {
    const { room_id: roomId } = await ann.client.createRoom({
      preset: Preset.PrivateChat,
      initial_state: [
        { type: 'm.room.history_visibility', state_key: '', content: { history_visibility: visibility } },
      ],
    })
    await ann.client.sendTextMessage(roomId, 'before')
    await ann.client.invite(roomId, bob.userId)
    await ann.client.sendTextMessage(roomId, 'invited')
    await bob.client.joinRoom(roomId)
    await ann.client.sendTextMessage(roomId, 'joined')
    const room = await roomOf(bob, roomId)
    await eventually(() => bodiesOf(bob, roomId).includes('joined'))
    for (let page = 0; page < 5 && room.oldState.paginationToken !== null; page += 1) {
      await bob.client.scrollback(room, 30)
    }
    return bodiesOf(bob, roomId)
  }
  assert.deepEqual(await readable('joined'), ['joined'])
  assert.deepEqual(await readable('invited'), ['invited', 'joined'])
  assert.deepEqual(await readable('shared'), ['before', 'invited', 'joined'])
})

test('someone who is not in the room reads nothing, unless it is world readable', async () => {
  const { room_id: roomId } = await ann.client.createRoom({ preset: Preset.PublicChat })
  const { event_id: eventId } = await ann.client.sendTextMessage(roomId, 'inside')
  const stranger = await newUser(server, 'stranger', { start: false })
  await refusedWith('M_FORBIDDEN', stranger.client.createMessagesRequest(roomId, null, 10, Direction.Backward))
  await refusedWith('M_FORBIDDEN', stranger.client.roomState(roomId))
  // The specification names 404 only; 403 tells as little.
  await assert.rejects(stranger.client.fetchRoomEvent(roomId, eventId), /\[40[34]\]/)
  const readable = { history_visibility: 'world_readable' }
  await ann.client.sendStateEvent(roomId, 'm.room.history_visibility' as never, readable as never)
  const { event_id: open } = await ann.client.sendTextMessage(roomId, 'for all')
  assert.equal((await stranger.client.fetchRoomEvent(roomId, open)).event_id, open)
})

test('a room that one rejoins shows nothing twice', async () => {
  const { room_id: roomId } = await ann.client.createRoom({ preset: Preset.PublicChat })
  await bob.client.joinRoom(roomId)
  await roomOf(bob, roomId)
  const { event_id: first } = await ann.client.sendTextMessage(roomId, 'first')
  await eventOf(bob, roomId, first)
  await bob.client.leave(roomId)
  await roomOf(bob, roomId, 'leave')
  await ann.client.sendTextMessage(roomId, 'meanwhile')
  await bob.client.joinRoom(roomId)
  await roomOf(bob, roomId)
  const { event_id: last } = await ann.client.sendTextMessage(roomId, 'last')
  await eventOf(bob, roomId, last)
  const ids = timelineOf(bob, roomId).map((event) => event.getId())
  assert.equal(new Set(ids).size, ids.length)
  assert.deepEqual(bodiesOf(bob, roomId), ['first', 'meanwhile', 'last'])
})
