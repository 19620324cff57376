import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { JsonObject } from '@holdfast/protocol/json/value'
import { EVENT_FLAGS } from '../../storage/events.ts'
import { startTestHomeserver, type TestHomeserver, type TestUser } from '../../testing/homeserver.ts'
import { aFarServer, type FarServer } from './testing/far-server.ts'
import { graft } from './testing/graft.ts'

type Named = { readonly [name: string]: string }

describe('the graph over federation', () => {
  let homeserver: TestHomeserver
  let ann: TestUser
  let far: FarServer
  before(async () => {
    homeserver = await startTestHomeserver()
    ann = await homeserver.user('ann')
    far = await aFarServer(homeserver)
  })
  after(() => homeserver[Symbol.asyncDispose]())

  async function aRoom(): Promise<string> {
    const { room_id } = await ann.ok('POST', '/createRoom', { preset: 'public_chat', room_version: '11' })
    await far.member(room_id, 'bob', 'join')
    return room_id
  }

  let transactions = 0
  async function say(room: string, body: string): Promise<string> {
    transactions += 1
    return (await ann.ok('PUT', `/rooms/${room}/send/m.room.message/t${transactions}`, { body })).event_id
  }

  async function put(room: string, body: string, prev: readonly string[], more: object = {}): Promise<string> {
    return (await graft(homeserver, room, { sender: ann.userId, body, prev, ...more })).eventId
  }

  /** a → b1 → c1 ⟍ d; a → b2 ⟋ d */
  async function aFork(): Promise<{ room: string; of: Named }> {
    const room = await aRoom()
    const a = await say(room, 'a')
    const b1 = await put(room, 'b1', [a])
    const b2 = await put(room, 'b2', [a])
    const c1 = await put(room, 'c1', [b1])
    const d = await put(room, 'd', [c1, b2])
    return { room, of: { a, b1, b2, c1, d } }
  }

  async function missing(room: string, body: JsonObject): Promise<string[]> {
    const answer = await far.request('POST', `/get_missing_events/${room}`, {
      earliest_events: [],
      latest_events: [],
      ...body,
    })
    assert.equal(answer.status, 200)
    return bodies(answer.body.events)
  }

  async function backfill(room: string, v: readonly string[], limit: number): Promise<string[]> {
    const from = v.map((id) => `v=${encodeURIComponent(id)}`).join('&')
    return bodies((await far.ok(`/backfill/${room}?${from}&limit=${limit}`)).pdus)
  }

  const bodies = (pdus: readonly { readonly type: string; readonly content: JsonObject }[]): string[] =>
    pdus.map(({ type, content }) =>
      type === 'm.room.message' ? JSON.stringify(content['body'] ?? '').slice(1, -1) : type,
    )

  it('/backfill walks all branches, newest first, and begins with what was asked for', async () => {
    const { room, of } = await aFork()
    assert.deepEqual(await backfill(room, [of['d']!], 5), ['d', 'c1', 'b2', 'b1', 'a'])
    assert.deepEqual(await backfill(room, [of['c1']!], 3), ['c1', 'b1', 'a'])
    assert.deepEqual(await backfill(room, [of['b1']!, of['b2']!], 3), ['b2', 'b1', 'a'])
  })

  it('/backfill reaches the beginning of the room, and gives each event once', async () => {
    const { room, of } = await aFork()
    const all = await backfill(room, [of['d']!, of['c1']!, of['d']!], 100)
    assert.equal(all.at(-1), 'm.room.create')
    assert.equal(all.filter((body) => body === 'a').length, 1)
  })

  it('/get_missing_events gives what lies between, oldest first', async () => {
    const { room, of } = await aFork()
    const { a, b1, d } = of as { a: string; b1: string; d: string }
    assert.deepEqual(await missing(room, { earliest_events: [a], latest_events: [d] }), ['b1', 'b2', 'c1'].sort())
    assert.deepEqual(await missing(room, { earliest_events: [a, b1], latest_events: [d] }), ['b2', 'c1'])
    assert.deepEqual(await missing(room, { earliest_events: [d], latest_events: [d] }), [])
  })

  it('/get_missing_events gives those nearest to the latest events when there are more than the limit', async () => {
    const { room, of } = await aFork()
    const found = await missing(room, { latest_events: [of['d']!], limit: 2 })
    assert.deepEqual(found.sort(), ['b2', 'c1'])
  })

  it('/get_missing_events gives ten events unless asked for more, and never more than twenty', async () => {
    const room = await aRoom()
    let last = ''
    for (let index = 0; index < 30; index += 1) last = await say(room, String(index))
    assert.equal((await missing(room, { latest_events: [last] })).length, 10)
    assert.equal((await missing(room, { latest_events: [last], limit: 1_000 })).length, 20)
    assert.deepEqual(await missing(room, { latest_events: [last], limit: 3 }), ['26', '27', '28'])
  })

  it('/get_missing_events goes no deeper than it is asked to', async () => {
    const { room, of } = await aFork()
    const { pdus } = await far.ok(`/event/${of['b1']}`)
    const found = await missing(room, { latest_events: [of['d']!], min_depth: pdus[0].depth })
    assert.deepEqual(found.sort(), ['b1', 'b2', 'c1'])
  })

  it('[SERVE6] rejected events and outliers are not given, what lies behind a rejected one is', async () => {
    const room = await aRoom()
    const a = await say(room, 'a')
    const bad = await put(room, 'rejected', [a], { flags: EVENT_FLAGS.rejected })
    const loose = await put(room, 'outlier', [a], { flags: EVENT_FLAGS.outlier })
    const end = await put(room, 'end', [bad, loose])
    assert.deepEqual((await backfill(room, [end], 5)).slice(0, 2), ['end', 'a'])
    assert.deepEqual(await missing(room, { earliest_events: [a], latest_events: [end] }), [])
    assert.deepEqual((await missing(room, { latest_events: [end] })).at(-1), 'a')
    for (const id of [bad, loose])
      assert.ok(!(await backfill(room, [id], 1)).some((body) => body === 'rejected' || body === 'outlier'))
  })

  it('[SERVE6] a soft-failed event is given to who asks for what follows it', async () => {
    const room = await aRoom()
    const a = await say(room, 'a')
    const soft = await put(room, 'soft', [a], { flags: EVENT_FLAGS.softFailed })
    const next = await say(room, 'next')
    assert.ok(!(await backfill(room, [next], 100)).includes('soft'))
    const after = await put(room, 'after', [soft])
    assert.deepEqual((await backfill(room, [after], 3)).slice(0, 2), ['after', 'soft'])
  })

  it('[SERVE6] /event, /state, /state_ids and /event_auth do not know a rejected event', async () => {
    const room = await aRoom()
    const bad = await put(room, 'rejected', [await say(room, 'a')], { flags: EVENT_FLAGS.rejected })
    for (const path of [
      `/event/${bad}`,
      `/state/${room}?event_id=${bad}`,
      `/state_ids/${room}?event_id=${bad}`,
      `/event_auth/${room}/${bad}`,
    ]) {
      const { status, body } = await far.get(path)
      assert.deepEqual([status, body.errcode], [404, 'M_NOT_FOUND'], path)
    }
  })

  it('[SERVE7] /state and /state_ids do not know the state at an outlier; /event shows it redacted', async () => {
    const room = await aRoom()
    const loose = await put(room, 'outlier', [await say(room, 'a')], { flags: EVENT_FLAGS.outlier })
    for (const path of [`/state/${room}?event_id=${loose}`, `/state_ids/${room}?event_id=${loose}`]) {
      const { status, body } = await far.get(path)
      assert.deepEqual([status, body.errcode], [404, 'M_NOT_FOUND'], path)
    }
    assert.deepEqual((await far.ok(`/event/${loose}`)).pdus[0].content, {})
    assert.ok((await far.ok(`/event_auth/${room}/${loose}`)).auth_chain.length > 0)
  })

  it('[SERVE8] a walk ends after a bounded number of events, however many are not given', async () => {
    const room = await aRoom()
    let last = await say(room, 'a')
    for (let index = 0; index < 1_100; index += 1) {
      last = await put(room, 'rejected', [last], { flags: EVENT_FLAGS.rejected })
    }
    const end = await put(room, 'end', [last])
    assert.deepEqual(await backfill(room, [end], 100), ['end'])
    assert.deepEqual(await missing(room, { latest_events: [end] }), [])
  })

  it('an event that claims a depth beyond all others holds up no walk', async () => {
    const { room, of } = await aFork()
    const deep = await put(room, 'deep', [of['a']!], { depth: 2 ** 53 - 1 })
    assert.deepEqual(await backfill(room, [deep, of['d']!], 3), ['deep', 'd', 'c1'])
  })
})
