/** Where our own limits and shortcuts are. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { startTestHomeserver, type TestHomeserver, type TestUser } from '../testing/homeserver.ts'

// oxlint-disable-next-line typescript/no-explicit-any -- a test looks where it expects something
type Json = any

describe('bounds of rooms', () => {
  let server: TestHomeserver
  let ann: TestUser
  let bob: TestUser
  before(async () => {
    server = await startTestHomeserver({ settings: { presence: false } })
    ann = await server.user('ann')
    bob = await server.user('bob')
  })
  after(() => server[Symbol.asyncDispose]())

  async function newRoom(options: object = {}): Promise<string> {
    const { room_id } = await ann.ok('POST', '/createRoom', { preset: 'public_chat', ...options })
    return `/rooms/${encodeURIComponent(room_id)}`
  }

  test('[ROOM3] the same state by the same sender is the same event; by another, or after a change, it is a new one', async () => {
    const room = await newRoom({ power_level_content_override: { state_default: 0 } })
    await bob.ok('POST', `${room}/join`, {})
    const set = async (user: TestUser, text: string): Promise<string> =>
      (await user.ok('PUT', `${room}/state/org.example.thing/x`, JSON.parse(text) as object)).event_id as string
    const first = await set(ann, '{"a":1,"b":[{"c":2,"d":3}]}')
    assert.equal(await set(ann, '{"b":[{"d":3,"c":2}],"a":1}'), first)
    const second = await set(bob, '{"a":1,"b":[{"c":2,"d":3}]}')
    const third = await set(ann, '{"a":1,"b":[{"c":2,"d":3}]}')
    const fourth = await set(ann, '{"a":2}')
    assert.equal(new Set([first, second, third, fourth, await set(ann, '{"a":1,"b":[{"c":2,"d":3}]}')]).size, 5)
  })

  test('[ROOM4] [ROOM5] a room for which too many wait answers 429, other rooms go on, and a page of its many events is bounded', async () => {
    const [busy, calm] = [await newRoom(), await newRoom()]
    const sends = Array.from({ length: 2_300 }, (_, number) =>
      ann.request('PUT', `${busy}/send/m.room.message/${number}`, { number }),
    )
    const other = ann.request('PUT', `${calm}/send/m.room.message/1`, {})
    const answers = await Promise.all(sends)
    assert.equal((await other).status, 200)
    const refused = answers.filter(({ status }) => status !== 200)
    for (const { status, body, headers } of refused) {
      assert.deepEqual([status, body.errcode, headers['retry-after']], [429, 'M_LIMIT_EXCEEDED', '1'])
    }
    assert.equal(refused.length > 0 && refused.length <= 300, true, `${refused.length} were refused`)
    const again = answers.findIndex(({ status }) => status === 429)
    await ann.ok('PUT', `${busy}/send/m.room.message/${again}`, {})
    await checkScanBound(ann, busy)
  })

  test('[ROOM14] an onlooker reads what was sent while the room was world-readable, and its state', async () => {
    const room = await newRoom()
    const visibility = async (value: string): Promise<void> =>
      void (await ann.ok('PUT', `${room}/state/m.room.history_visibility`, { history_visibility: value }))
    const say = async (body: string): Promise<string> =>
      (await ann.ok('PUT', `${room}/send/m.room.message/${body}`, { body })).event_id as string
    await say('shared')
    await visibility('world_readable')
    await say('open')
    await visibility('joined')
    await say('closed')
    assert.equal((await bob.request('GET', `${room}/messages?dir=b`)).status, 403)
    await visibility('world_readable')
    await say('again')
    const { chunk } = await bob.ok('GET', `${room}/messages?dir=b&limit=100`)
    const texts = chunk.filter(({ type }: Json) => type === 'm.room.message').map(({ content }: Json) => content.body)
    assert.deepEqual(texts, ['again', 'open'])
    await bob.ok('GET', `${room}/state`)
    assert.equal((await bob.request('GET', `${room}/joined_members`)).status, 403)
    assert.equal((await bob.request('PUT', `${room}/send/m.room.message/1`, {})).status, 403)
  })
})

/** In a room with more than 2,000 events. */
async function checkScanBound(ann: TestUser, room: string): Promise<void> {
  const filter = encodeURIComponent('{"types":["org.example.nothing"]}')
  const first = await ann.ok('GET', `${room}/messages?dir=b&limit=5&filter=${filter}`)
  assert.deepEqual(first.chunk, [])
  const second = await ann.ok('GET', `${room}/messages?dir=b&limit=5&filter=${filter}&from=${first.end}`)
  assert.deepEqual([second.chunk, second.end], [[], undefined])
  // The create event is found behind them all.
  const create = encodeURIComponent('{"types":["m.room.create"]}')
  const { end } = await ann.ok('GET', `${room}/messages?dir=b&limit=5&filter=${create}`)
  const found = await ann.ok('GET', `${room}/messages?dir=b&limit=5&filter=${create}&from=${end}`)
  assert.equal(found.chunk[0].type, 'm.room.create')
}
