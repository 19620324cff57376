/** Contents, types and keys at the edges of what may be: kept exactly as they are, or refused whole. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { startTestHomeserver, type TestHomeserver, type TestUser } from '../testing/homeserver.ts'

// oxlint-disable-next-line typescript/no-explicit-any -- a test looks where it expects something
type Json = any

const EVENT_BYTES_MAX = 65_536
const NAME_BYTES_MAX = 255
/** Names that are something else to JavaScript, to SQL or to C. */
const NAMES = [
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  '\0',
  'a\0b',
  '\0\0',
  '"',
  "';--",
  '\u{1f600}',
  '\ufdd0',
  '\ufdd00000',
  '\uffff',
  '%00',
  '../..',
  '0',
  '-1',
  ' ',
  '\n',
]

describe('hostile content', () => {
  let server: TestHomeserver
  let ann: TestUser
  let room: string
  before(async () => {
    server = await startTestHomeserver()
    ann = await server.user('ann')
    const { room_id } = await ann.ok('POST', '/createRoom', {})
    room = `/rooms/${encodeURIComponent(room_id)}`
  })
  after(() => server[Symbol.asyncDispose]())

  function path(...segments: string[]): string {
    return segments.map(encodeURIComponent).join('/')
  }

  test('types, state keys, transaction ids and member names of every kind come back as they were sent', async () => {
    const since = (await ann.ok('GET', '/sync')).next_batch
    const content = JSON.parse(`{${NAMES.map((name) => `${JSON.stringify(name)}:{"__proto__":[1]}`).join(',')}}`)
    const sent = new Map<string, { type: string; key?: string; transaction?: string }>()
    for (const name of NAMES) {
      const state = await ann.ok('PUT', `${room}/state/${path(`t${name}`, name)}`, content)
      sent.set(state.event_id, { type: `t${name}`, key: name })
      const message = await ann.ok('PUT', `${room}/send/${path(`m${name}`, name)}`, content)
      sent.set(message.event_id, { type: `m${name}`, transaction: name })
    }
    for (const restart of [false, true]) {
      if (restart) await server.restart()
      const filter = encodeURIComponent('{"room":{"timeline":{"limit":100}}}')
      const [joined] = Object.values<Json>((await ann.ok('GET', `/sync?since=${since}&filter=${filter}`)).rooms.join)
      assert.equal(joined.timeline.events.length, sent.size)
      for (const event of joined.timeline.events) {
        const { type, key, transaction } = sent.get(event.event_id)!
        assert.deepEqual([event.type, event.state_key, event.unsigned.transaction_id], [type, key, transaction])
        assert.deepEqual(event.content, content)
      }
      for (const name of NAMES) {
        assert.deepEqual(await ann.ok('GET', `${room}/state/${path(`t${name}`, name)}`), content)
      }
    }
  })

  test('account data and tags of every name come back as they were set', async () => {
    const own = `/user/${encodeURIComponent(ann.userId)}`
    const mine = `${own}${room}`
    for (const name of NAMES) {
      await ann.ok('PUT', `${own}/account_data/${path(name)}`, { [name]: name })
      await ann.ok('PUT', `${mine}/account_data/${path(name)}`, { [name]: name })
      await ann.ok('PUT', `${mine}/tags/${path(name)}`, { order: 0.5 })
    }
    await server.restart()
    const { tags } = await ann.ok('GET', `${mine}/tags`)
    assert.deepEqual(Object.keys(tags).sort(), [...NAMES].sort())
    const told = await ann.ok('GET', '/sync')
    const types = new Set(told.account_data.events.map(({ type }: { type: string }) => type))
    for (const name of NAMES) {
      assert.equal(types.has(name), true, JSON.stringify(name))
      for (const place of [own, mine]) {
        const content = await ann.ok('GET', `${place}/account_data/${path(name)}`)
        assert.deepEqual(Object.entries(content), [[name, name]])
      }
    }
    assert.equal(({} as Record<string, unknown>)['order'], undefined)
  })

  test('types and state keys have 255 bytes, not characters', async () => {
    const fits = '\u{1f600}'.repeat(63) + 'abc'
    const tooLong = '\u{1f600}'.repeat(64)
    assert.equal(Buffer.byteLength(fits), NAME_BYTES_MAX)
    await ann.ok('PUT', `${room}/state/${path(fits, fits)}`, {})
    await ann.ok('PUT', `${room}/send/${path(fits, '255')}`, {})
    for (const target of [
      `state/${path(tooLong, '')}`,
      `state/${path('t', tooLong)}`,
      `send/${path(tooLong, '256')}`,
    ]) {
      const { status, body } = await ann.request('PUT', `${room}/${target}`, {})
      assert.equal(status >= 400 && status < 500, true, target)
      assert.match(body.errcode, /^M_(TOO_LARGE|INVALID_PARAM)$/)
    }
  })

  test('an event has 65,536 bytes and not one more', async () => {
    const before = await ann.ok('GET', `${room}/messages?dir=b&limit=1`)
    const send = (bytes: number, number: number): ReturnType<TestUser['request']> =>
      ann.request('PUT', `${room}/send/m.room.message/size${number}`, { body: 'x'.repeat(bytes) })
    let fits = 0
    let tooLarge = EVENT_BYTES_MAX
    for (let number = 0; tooLarge - fits > 1; number += 1) {
      const bytes = Math.floor((fits + tooLarge) / 2)
      const { status, body } = await send(bytes, number)
      if (status === 200) fits = bytes
      else {
        assert.deepEqual([status, body.errcode], [413, 'M_TOO_LARGE'])
        tooLarge = bytes
      }
    }
    assert.equal(fits > EVENT_BYTES_MAX - 1_500, true, `${fits} bytes of text fit`)
    const { chunk } = await ann.ok('GET', `${room}/messages?dir=f&limit=100&from=${before.start}`)
    assert.equal(
      chunk.some(({ content }: { content: { body: string } }) => content.body.length >= tooLarge),
      false,
    )
  })

  test('numbers that not every server reads alike are refused in events, and kept in account data', async () => {
    const numbers = ['1.5', '9007199254740992', '-9007199254740992', '1e30', '-1e-3']
    for (const [index, number] of numbers.entries()) {
      for (const target of [`send/m.room.message/n${index}`, 'state/m.room.topic/']) {
        const { status, body } = await server.request('PUT', `${room}/${target}`, {
          token: ann.token,
          body: `{"a":[{"b":${number}}]}`,
        })
        assert.deepEqual([status, body.errcode], [400, 'M_BAD_JSON'], number)
      }
    }
    for (const number of ['9007199254740991', '-9007199254740991', '0']) {
      const body = `{"a":${number}}`
      const { event_id } = await server.ok('PUT', `${room}/send/m.room.message/ok${number}`, { token: ann.token, body })
      assert.equal((await ann.ok('GET', `${room}/event/${path(event_id)}`)).content.a, Number(number))
    }
  })

  test('[ROOM20] strangers cannot tell a room that exists from one that does not', async () => {
    const eve = await server.user('eve')
    const nowhere = `/rooms/${encodeURIComponent(`!${'x'.repeat(43)}`)}`
    const event = path('$nothing')
    const asked: readonly (readonly [method: string, path: string, body?: unknown])[] = [
      ...[
        'state',
        'members',
        'joined_members',
        'aliases',
        'messages?dir=b',
        'initialSync',
        `event/${event}`,
        `context/${event}`,
      ].map((end) => ['GET', end] as const),
      ['PUT', 'send/m.room.message/1', { body: 'x' }],
      ['PUT', 'send/m.room.redaction/1', { redacts: '$nothing' }],
      ['PUT', `redact/${event}/1`, {}],
      ['PUT', 'state/m.room.topic/', { topic: 'x' }],
      ['PUT', 'state/m.room.canonical_alias/', { alias: '#x:example.org' }],
      ['POST', 'invite', { user_id: ann.userId }],
      ['POST', 'kick', { user_id: ann.userId }],
      ['POST', 'ban', { user_id: ann.userId }],
      ['POST', 'unban', { user_id: ann.userId }],
      ['POST', 'leave', {}],
      ['POST', 'forget', {}],
      ['PUT', `typing/${path(eve.userId)}`, { typing: true }],
      ['POST', `receipt/m.read/${event}`, {}],
      ['POST', 'read_markers', { 'm.read': '$nothing' }],
    ]
    for (const [method, end, body] of asked) {
      const real = await eve.request(method, `${room}/${end}`, body)
      const unreal = await eve.request(method, `${nowhere}/${end}`, body)
      assert.deepEqual([real.status, real.body], [unreal.status, unreal.body], `${method} ${end}`)
      assert.equal(real.status >= 400, true, end)
    }
  })
})
