/** The same request sent again, by whom, where and when. <https://spec.matrix.org/v1.19/client-server-api/#transaction-identifiers> */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { startTestHomeserver, type TestHomeserver, type TestUser } from '../testing/homeserver.ts'

describe('transaction ids', () => {
  let server: TestHomeserver
  let ann: TestUser
  let bob: TestUser
  let room: string
  before(async () => {
    server = await startTestHomeserver()
    ann = await server.user('ann')
    bob = await server.user('bob')
    room = await roomOf(ann)
    await bob.ok('POST', `${room}/join`, {})
  })
  after(() => server[Symbol.asyncDispose]())

  async function roomOf(user: TestUser): Promise<string> {
    const { room_id } = await user.ok('POST', '/createRoom', { preset: 'public_chat' })
    return `/rooms/${encodeURIComponent(room_id)}`
  }

  async function send(token: string, path: string, body: object = { body: 'hello' }): Promise<string> {
    return (await server.ok('PUT', path, { token, body })).event_id
  }

  async function otherToken(): Promise<string> {
    const body = { type: 'm.login.password', identifier: { type: 'm.id.user', user: 'ann' }, password: 'secret-ann' }
    return (await server.ok('POST', '/login', { body })).access_token
  }

  test('the same device gets the same event again, also after a restart and with another body', async () => {
    const path = `${room}/send/m.room.message/again`
    const first = await send(ann.token, path)
    assert.equal(await send(ann.token, path, { body: 'other' }), first)
    await server.restart()
    assert.equal(await send(ann.token, path), first)
    const { chunk } = await ann.ok('GET', `${room}/messages?dir=b&limit=100`)
    assert.equal(chunk.filter(({ event_id }: { event_id: string }) => event_id === first).length, 1)
  })

  test('another device, user, room, type or endpoint gets an event of its own', async () => {
    const path = `${room}/send/m.room.message/mine`
    const ids = [
      await send(ann.token, path),
      await send(await otherToken(), path),
      await send(bob.token, path),
      await send(ann.token, `${await roomOf(ann)}/send/m.room.message/mine`),
      await send(ann.token, `${room}/send/m.other/mine`),
    ]
    ids.push(await send(ann.token, `${room}/redact/${encodeURIComponent(ids[0]!)}/mine`, {}))
    assert.equal(new Set(ids).size, ids.length)
  })

  test('a redaction that is sent again redacts once', async () => {
    const target = await send(ann.token, `${room}/send/m.room.message/target`)
    const path = `${room}/redact/${encodeURIComponent(target)}/once`
    const answers = await Promise.all([1, 2, 3].map(() => send(ann.token, path, { reason: 'x' })))
    await server.restart()
    answers.push(await send(ann.token, path, { reason: 'x' }))
    assert.equal(new Set(answers).size, 1)
  })

  test('a refused request is not remembered: when it is allowed, the same one is done', async () => {
    const path = `${room}/send/m.room.message/refused`
    await ann.ok('POST', `${room}/kick`, { user_id: bob.userId })
    assert.equal((await bob.request('PUT', path, {})).status, 403)
    await bob.ok('POST', `${room}/join`, {})
    await send(bob.token, path)
  })

  test('who may not be in the room any more still gets the answer of what was done', async () => {
    const path = `${room}/send/m.room.message/answered`
    const first = await send(bob.token, path)
    await bob.ok('POST', `${room}/leave`, {})
    assert.equal(await send(bob.token, path), first)
    await bob.ok('POST', `${room}/join`, {})
  })

  test('a token of one kind is none of another', async () => {
    const { next_batch } = await ann.ok('GET', '/sync')
    await ann.ok('POST', '/createRoom', { visibility: 'public' })
    await ann.ok('POST', '/createRoom', { visibility: 'public' })
    const { next_batch: directory } = await ann.ok('GET', '/publicRooms?limit=1')
    const { room_id } = await ann.ok('POST', '/createRoom', {})
    const event = await send(ann.token, `/rooms/${encodeURIComponent(room_id)}/send/m.room.message/1`)
    const streams = [
      '/sync?since=',
      `${room}/messages?dir=b&from=`,
      `${room}/messages?dir=b&to=`,
      `${room}/members?at=`,
      '/events?from=',
    ]
    for (const wrong of [
      directory,
      encodeURIComponent(event),
      ann.token,
      't1-2_3',
      '',
      's1,5',
      's01',
      `${next_batch} `,
      `${next_batch}x`,
    ]) {
      for (const path of streams) {
        // There an empty token is none: clients of 2018 send it.
        if (wrong === '' && path.startsWith('/events')) continue
        const { status, body } = await ann.request('GET', `${path}${wrong}`)
        assert.deepEqual([status, body.errcode], [400, 'M_INVALID_PARAM'], `${path}${wrong}`)
      }
    }
    for (const wrong of [next_batch, event, ann.token, 'p', 'p-1', 'p1.5']) {
      assert.equal((await ann.request('GET', `/publicRooms?since=${encodeURIComponent(wrong)}`)).status, 400, wrong)
    }
  })

  test('[SYNC3] a token from a future that the server never had begins the client anew', async () => {
    const answer = await ann.ok('GET', '/sync?since=s9007199254740991&timeout=60000')
    assert.equal(answer.next_batch, (await ann.ok('GET', '/sync')).next_batch)
    assert.equal(Object.keys(answer.rooms.join).length > 0, true)
    const events = await ann.ok('GET', '/events?from=s9007199254740991')
    assert.equal(events.end, answer.next_batch)
  })

  test('an access token that is cut, grown, of another user or ended reads nothing', async () => {
    const ended = await otherToken()
    await server.ok('POST', '/logout', { token: ended })
    const half = Math.floor(ann.token.length / 2)
    const crossed = ann.token.slice(0, half) + bob.token.slice(half)
    for (const token of [ended, ann.token.slice(0, -1), `${ann.token}a`, crossed, ann.token.toUpperCase()]) {
      for (const path of ['/sync', `${room}/messages?dir=b`, '/joined_rooms']) {
        const { status, body } = await server.request('GET', path, { token })
        assert.deepEqual([status, body.errcode], [401, 'M_UNKNOWN_TOKEN'], path)
      }
    }
  })
})
