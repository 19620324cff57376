/** What a sync tells of one room where the simple case ends. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { FollowingClient } from '../testing/following-client.ts'
import { startTestHomeserver, type TestHomeserver, type TestUser } from '../testing/homeserver.ts'

// oxlint-disable-next-line typescript/no-explicit-any -- a test looks where it expects something
type Json = any

describe('a room in a sync', () => {
  let server: TestHomeserver
  let ann: TestUser
  let bob: TestUser
  before(async () => {
    server = await startTestHomeserver({ settings: { presence: false } })
    ann = await server.user('ann')
    bob = await server.user('bob')
  })
  after(() => server[Symbol.asyncDispose]())

  async function newRoom(visibility: string): Promise<{ readonly roomId: string; readonly room: string }> {
    const initial_state = [{ type: 'm.room.history_visibility', content: { history_visibility: visibility } }]
    const { room_id: roomId } = await ann.ok('POST', '/createRoom', { preset: 'public_chat', initial_state })
    return { roomId, room: `/rooms/${encodeURIComponent(roomId)}` }
  }

  async function sync(since?: string, filter: object = {}): Promise<Json> {
    const query = new URLSearchParams({ filter: JSON.stringify(filter), ...(since === undefined ? {} : { since }) })
    return bob.ok('GET', `/sync?${query.toString()}`)
  }

  function topicOf({ state, timeline }: Json): string | undefined {
    return [...state.events, ...timeline.events].findLast(({ type }) => type === 'm.room.topic')?.content.topic
  }

  test('[SYNC2] a token never skips an event, however many commits overlap', async () => {
    const rooms = await Promise.all(Array.from({ length: 8 }, () => newRoom('shared')))
    for (const { room } of rooms) await bob.ok('POST', `${room}/join`, {})
    const limits = { timelineLimit: 3, pageLimit: 50, lazyLoadMembers: false, useStateAfter: false }
    const client = new FollowingClient({ name: 'bob', user: bob, ...limits })
    await client.sync()
    const sending = new AbortController()
    const following = (async () => {
      while (!sending.signal.aborted) await client.sync({ timeoutMs: 5 })
    })()
    const sends = rooms.flatMap(({ room }) =>
      Array.from({ length: 40 }, (_, number) =>
        number % 5 === 0
          ? ann.ok('PUT', `${room}/state/m.room.topic`, { topic: `${number}` })
          : ann.ok('PUT', `${room}/send/m.room.message/${number}`, { number }),
      ),
    )
    const sent = (await Promise.all(sends)).map(({ event_id }) => event_id as string)
    sending.abort()
    await following
    await client.sync()
    const seen = rooms.flatMap(({ roomId }) => client.rooms.get(roomId)!.events.map(({ event_id }) => event_id))
    for (const eventId of sent) assert.equal(seen.filter((other) => other === eventId).length, 1)
  })

  test('[SYNC4] state that was set out of sight stands in the state part, and no later event undoes it', async () => {
    const { roomId, room } = await newRoom('joined')
    await bob.ok('POST', `${room}/join`, {})
    const { next_batch } = await sync()
    await ann.ok('PUT', `${room}/state/m.room.topic`, { topic: 'seen' })
    await bob.ok('POST', `${room}/leave`, {})
    await ann.ok('PUT', `${room}/state/m.room.topic`, { topic: 'unseen' })
    await bob.ok('POST', `${room}/join`, {})
    for (const since of [next_batch, undefined]) {
      const section = (await sync(since)).rooms.join[roomId]
      assert.equal(topicOf(section), 'unseen')
      assert.equal(section.timeline.limited, true)
      const before = await bob.ok('GET', `${room}/messages?dir=b&limit=100&from=${section.timeline.prev_batch}`)
      const topics = before.chunk.filter(({ type }: Json) => type === 'm.room.topic')
      assert.deepEqual(
        topics.map(({ content }: Json) => content.topic),
        ['seen'],
      )
    }
  })

  test('[SYNC5] state that the timeline filter holds back stands in the state part', async () => {
    const { roomId, room } = await newRoom('shared')
    await bob.ok('POST', `${room}/join`, {})
    const { next_batch } = await sync()
    await ann.ok('PUT', `${room}/send/m.room.message/1`, { body: 'before' })
    await ann.ok('PUT', `${room}/state/m.room.topic`, { topic: 'held back' })
    await ann.ok('PUT', `${room}/send/m.room.message/2`, { body: 'after' })
    const section = (await sync(next_batch, { room: { timeline: { types: ['m.room.message'] } } })).rooms.join[roomId]
    assert.equal(section.timeline.events.length, 2)
    assert.equal(section.timeline.limited, false)
    assert.equal(topicOf(section), 'held back')
  })

  test('[SYNC6] a room that the user comes back to begins anew, and what was missed can be paged', async () => {
    const { roomId, room } = await newRoom('shared')
    await bob.ok('POST', `${room}/join`, {})
    await bob.ok('POST', `${room}/leave`, {})
    const { next_batch } = await sync()
    const missed = (await ann.ok('PUT', `${room}/send/m.room.message/1`, { body: 'missed' })).event_id
    await bob.ok('POST', `${room}/join`, {})
    const section = (await sync(next_batch, { room: { timeline: { limit: 1 } } })).rooms.join[roomId]
    assert.equal(section.timeline.limited, true)
    assert.equal(section.state.events.length > 4, true)
    const { chunk } = await bob.ok('GET', `${room}/messages?dir=b&from=${section.timeline.prev_batch}`)
    assert.equal(chunk[0].event_id, missed)
  })

  test('[SYNC7] who was out of a room learns that an invitation ended, even if a ban follows, and of no other ban', async () => {
    const { roomId, room } = await newRoom('invited')
    await ann.ok('POST', `${room}/invite`, { user_id: bob.userId })
    const invited = await sync()
    assert.equal(roomId in invited.rooms.invite, true)
    await ann.ok('POST', `${room}/kick`, { user_id: bob.userId })
    await ann.ok('POST', `${room}/ban`, { user_id: bob.userId })
    const ended = await sync(invited.next_batch)
    const { timeline, state } = ended.rooms.leave[roomId]
    assert.deepEqual(
      timeline.events.map(({ content }: Json) => content.membership),
      ['leave'],
    )
    assert.deepEqual(state.events, [])
    await ann.ok('POST', `${room}/unban`, { user_id: bob.userId })
    await ann.ok('POST', `${room}/ban`, { user_id: bob.userId })
    assert.equal((await sync(ended.next_batch)).rooms?.leave?.[roomId], undefined)
  })

  test('[SYNC8] a stay that ended while an invitation waited is told when that is refused', async () => {
    const { roomId, room } = await newRoom('shared')
    await bob.ok('POST', `${room}/join`, {})
    const joined = await sync()
    const last = (await ann.ok('PUT', `${room}/send/m.room.message/1`, { body: 'last' })).event_id
    await bob.ok('POST', `${room}/leave`, {})
    await ann.ok('POST', `${room}/invite`, { user_id: bob.userId })
    const invited = await sync(joined.next_batch)
    assert.equal(roomId in invited.rooms.invite, true)
    await bob.ok('POST', `${room}/leave`, {})
    const { timeline } = (await sync(invited.next_batch)).rooms.leave[roomId]
    assert.equal(timeline.limited, true)
    assert.equal(
      timeline.events.some(({ event_id }: Json) => event_id === last),
      true,
    )
    assert.equal(timeline.events.at(-1).unsigned.prev_content.membership, 'invite')
  })

  test('[SYNC9] /events brings all events in the order of the stream, however many there are', async () => {
    const rooms = [await newRoom('shared'), await newRoom('shared')]
    for (const { room } of rooms) await bob.ok('POST', `${room}/join`, {})
    let { end: from } = await bob.ok('GET', '/events')
    const sent: string[] = []
    for (let number = 0; number < 230; number += 1) {
      const { room } = rooms[number % 7 === 0 ? 1 : 0]!
      sent.push((await ann.ok('PUT', `${room}/send/m.room.message/${number}`, { number })).event_id)
    }
    const seen: string[] = []
    for (;;) {
      const { chunk, end } = await bob.ok('GET', `/events?from=${from}`)
      seen.push(...chunk.map(({ event_id }: Json) => event_id))
      if (end === from) break
      from = end
    }
    assert.deepEqual(seen, sent)
  })

  test('each event of a timeline says what the reader was to the room then', async () => {
    const { roomId, room } = await newRoom('shared')
    await ann.ok('PUT', `${room}/send/m.room.message/1`, { body: 'before' })
    await ann.ok('POST', `${room}/invite`, { user_id: bob.userId })
    await bob.ok('POST', `${room}/join`, {})
    await ann.ok('PUT', `${room}/send/m.room.message/2`, { body: 'after' })
    const { timeline, state } = (await sync(undefined, { room: { timeline: { limit: 4 } } })).rooms.join[roomId]
    assert.deepEqual(
      timeline.events.map(({ unsigned }: Json) => unsigned.membership),
      ['leave', 'invite', 'join', 'join'],
    )
    assert.equal(
      state.events.some(({ unsigned }: Json) => 'membership' in unsigned),
      false,
    )
  })

  test('[SYNC12] the other devices of who leaves a room and forgets it learn of the leaving, and of nothing else', async () => {
    const [{ roomId, room }, other] = [await newRoom('shared'), await newRoom('shared')]
    await ann.ok('POST', `${other.room}/invite`, { user_id: bob.userId })
    const before = await sync()
    await bob.ok('POST', `${room}/join`, {})
    const joined = await sync(before.next_batch)
    await bob.ok('POST', `${room}/leave`, {})
    await bob.ok('POST', `${room}/forget`, {})
    await bob.ok('POST', `${other.room}/leave`, {})
    await bob.ok('POST', `${other.room}/forget`, {})
    const left = await sync(joined.next_batch)
    for (const gone of [roomId, other.roomId]) {
      const { events } = left.rooms.leave[gone].timeline
      assert.deepEqual(
        events.map(({ content }: Json) => content.membership),
        ['leave'],
      )
    }
    assert.equal((await sync(before.next_batch)).rooms.leave[roomId], undefined)
    assert.equal((await sync(left.next_batch)).rooms?.leave?.[roomId], undefined)
    const initial = await sync(undefined, { room: { include_leave: true } })
    assert.equal(initial.rooms?.leave?.[roomId], undefined)
  })
})
