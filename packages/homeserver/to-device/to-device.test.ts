import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { sql } from '@holdfast/platform/database/sql'
import { startTestHomeserver, type TestHomeserver, type TestUser, type TestResponse } from '../testing/homeserver.ts'

/** A test looks where it expects something. */
type Json = TestResponse['body']

let server: TestHomeserver
before(async () => {
  server = await startTestHomeserver()
})
after(() => server[Symbol.asyncDispose]())

let names = 0
let transactions = 0

async function aUser(): Promise<TestUser> {
  names += 1
  return server.user(`u${names}`)
}

/** Another device of the user. */
async function anotherDevice(user: TestUser): Promise<TestUser> {
  const localpart = user.userId.slice(1, user.userId.indexOf(':'))
  const body = {
    type: 'm.login.password',
    identifier: { type: 'm.id.user', user: localpart },
    password: `secret-${localpart}`,
  }
  const session = await server.ok('POST', '/login', { body })
  const token = session.access_token as string
  return {
    userId: user.userId,
    token,
    deviceId: session.device_id,
    request: (method, target, sent) => server.request(method, target, { token, body: sent }),
    ok: (method, target, sent) => server.ok(method, target, { token, body: sent }),
  }
}

async function send(from: TestUser, messages: object, type = 'my.type'): Promise<void> {
  transactions += 1
  await from.ok('PUT', `/sendToDevice/${type}/t${transactions}`, { messages })
}

type Received = { readonly events: readonly Json[]; readonly token: string }

async function receive(user: TestUser, since?: string, timeout = 0): Promise<Received> {
  const answer = await user.ok('GET', since === undefined ? '/sync' : `/sync?since=${since}&timeout=${timeout}`)
  return { events: answer.to_device?.events ?? [], token: answer.next_batch }
}

async function storedMessages(): Promise<number> {
  const row = await server.parts.db.row<{ n: number }>(sql`SELECT COUNT(*) AS n FROM to_device`)
  return row!.n
}

test('[TDM2] a message is given until it is acknowledged, and never after', async () => {
  const ann = await aUser()
  const bob = await aUser()
  const start = await receive(bob)
  await send(ann, { [bob.userId]: { [bob.deviceId]: { n: 1 } } })
  const expected = [{ type: 'my.type', sender: ann.userId, content: { n: 1 } }]
  const first = await receive(bob, start.token)
  assert.deepEqual(first.events, expected)
  assert.deepEqual((await receive(bob, start.token)).events, expected)
  assert.deepEqual((await receive(bob)).events, expected)
  assert.deepEqual((await receive(bob, first.token)).events, [])
  assert.deepEqual((await receive(bob, start.token)).events, [])
  assert.deepEqual((await receive(bob)).events, [])
})

test('a message wakes a waiting sync', async () => {
  const ann = await aUser()
  const bob = await aUser()
  const start = await receive(bob)
  const waiting = receive(bob, start.token, 10_000)
  await send(ann, { [bob.userId]: { '*': { n: 1 } } })
  assert.equal((await waiting).events.length, 1)
})

test('[TDM6] a message for all devices reaches each, but those that are named get their own', async () => {
  const ann = await aUser()
  const first = await aUser()
  const second = await anotherDevice(first)
  await send(ann, { [first.userId]: { '*': { to: 'all' }, [second.deviceId]: { to: 'second' } } })
  assert.deepEqual(
    (await receive(first)).events.map((event) => event.content),
    [{ to: 'all' }],
  )
  assert.deepEqual(
    (await receive(second)).events.map((event) => event.content),
    [{ to: 'second' }],
  )
})

test('[TDM1] a repeated transaction sends once, also after a restart and at the same moment', async () => {
  const ann = await aUser()
  const bob = await aUser()
  const messages = { [bob.userId]: { '*': { n: 1 } } }
  const path = '/sendToDevice/my.type/same'
  await Promise.all([1, 2, 3].map(() => ann.ok('PUT', path, { messages })))
  await server.restart()
  assert.deepEqual(await ann.ok('PUT', path, { messages }), {})
  const received = await receive(bob)
  assert.equal(received.events.length, 1)
  assert.deepEqual((await receive(bob, received.token)).events, [])
  await ann.ok('PUT', path, { messages })
  assert.deepEqual((await receive(bob, received.token)).events, [])
})

test('[TDM3] many messages come in order, a hundred at once, none twice and none lost', async () => {
  const ann = await aUser()
  const bob = await aUser()
  const start = await receive(bob)
  for (let n = 0; n < 250; n += 1) await send(ann, { [bob.userId]: { [bob.deviceId]: { n } } })
  const numbers: number[] = []
  let { token } = start
  const sizes: number[] = []
  for (;;) {
    const lost = await receive(bob, token)
    const got = await receive(bob, token)
    assert.deepEqual(lost.events, got.events)
    if (got.events.length === 0) break
    sizes.push(got.events.length)
    numbers.push(...got.events.map((event) => event.content.n as number))
    token = got.token
  }
  assert.deepEqual(sizes, [100, 100, 50])
  assert.deepEqual(
    numbers,
    Array.from({ length: 250 }, (_, n) => n),
  )
})

test('[TDM3] a token in the middle is good everywhere tokens are taken, and forged ones are refused', async () => {
  const ann = await aUser()
  const { room_id: roomId } = await ann.ok('POST', '/createRoom', {})
  for (let n = 0; n < 101; n += 1) await send(ann, { [ann.userId]: { '*': { n } } })
  const { token } = await receive(ann)
  assert.match(token, /^s\d+\.\d+$/)
  await ann.ok('GET', `/rooms/${encodeURIComponent(roomId)}/messages?dir=b&from=${token}`)
  const [stream, middle] = token.slice(1).split('.')
  for (const forged of [
    `s${stream}.`,
    `s${stream}.-1`,
    `s${stream}.x`,
    `s${stream}.${middle}.1`,
    `${token}${'0'.repeat(16)}`,
  ]) {
    assert.equal((await ann.request('GET', `/sync?since=${forged}`)).status, 400, forged)
  }
  // Further than the stream itself acknowledges no more than the stream.
  const far = await receive(ann, `s1.${middle}9`)
  assert.equal(far.events.length, 100)
})

test('a token from a future that this server lost acknowledges nothing', async () => {
  const ann = await aUser()
  await send(ann, { [ann.userId]: { '*': { n: 1 } } })
  assert.equal((await receive(ann, 's999999999')).events.length, 1)
  assert.equal((await receive(ann)).events.length, 1)
})

test('[TDM5] what is for nobody here is not stored', async () => {
  const ann = await aUser()
  const gone = await aUser()
  await gone.ok('POST', '/account/deactivate', {
    auth: {
      type: 'm.login.password',
      identifier: { type: 'm.id.user', user: gone.userId },
      password: `secret-u${names}`,
    },
  })
  const before = await storedMessages()
  await send(ann, {
    '@remote:elsewhere.example': { '*': { n: 1 }, DEVICE: { n: 1 } },
    '@unknown:example.org': { '*': { n: 1 } },
    [gone.userId]: { '*': { n: 1 }, [gone.deviceId]: { n: 1 } },
    [ann.userId]: { NOSUCHDEVICE: { n: 1 }, __proto__: { n: 1 }, '': { n: 1 } },
  })
  assert.equal(await storedMessages(), before)
})

test('[TDM5] messages go with the device they wait for', async () => {
  const ann = await aUser()
  const second = await anotherDevice(ann)
  const before = await storedMessages()
  await send(ann, { [ann.userId]: { [second.deviceId]: { n: 1 } } })
  assert.equal(await storedMessages(), before + 1)
  await second.ok('POST', '/logout', {})
  assert.equal(await storedMessages(), before)
})

test('[TDM4] a message that is too large is refused, and nothing of the request is sent', async () => {
  const ann = await aUser()
  const bob = await aUser()
  const messages = { [ann.userId]: { '*': { n: 1 } }, [bob.userId]: { '*': { text: 'é'.repeat(32_800) } } }
  const refused = await ann.request('PUT', '/sendToDevice/my.type/large', { messages })
  assert.deepEqual([refused.status, refused.body.errcode], [413, 'M_TOO_LARGE'])
  assert.deepEqual((await receive(ann)).events, [])
  const fits = { [bob.userId]: { '*': { text: 'é'.repeat(32_600) } } }
  await ann.ok('PUT', '/sendToDevice/my.type/large', { messages: fits })
  assert.equal((await receive(bob)).events.length, 1)
})

test('odd contents and types arrive as they were sent', async () => {
  const ann = await aUser()
  const content = '{"__proto__":{"a":1},"constructor":"\\u0000","toString":[null,true,9007199254740991],"":"\\uFDD0"}'
  const type = encodeURIComponent('odd/typ\u00e9 "\\')
  await ann.ok('PUT', `/sendToDevice/${type}/odd1`, `{"messages":{"${ann.userId}":{"*":${content}}}}`)
  const { events } = await receive(ann)
  assert.equal(events[0].type, 'odd/typ\u00e9 "\\')
  assert.equal(JSON.stringify(events[0].content), JSON.stringify(JSON.parse(content)))
})

test('malformed requests are refused', async () => {
  const ann = await aUser()
  const bodies = [
    '{}',
    '[]',
    '{',
    '{"messages":7}',
    '{"messages":{"ann":{}}}',
    `{"messages":{"${ann.userId}":[]}}`,
    `{"messages":{"${ann.userId}":{"*":"text"}}}`,
    `{"messages":{"${ann.userId}":{"*":null}}}`,
    `{"messages":{"__proto__":{"*":{}}}}`,
  ]
  for (const body of bodies) {
    transactions += 1
    const refused = await ann.request('PUT', `/sendToDevice/my.type/t${transactions}`, body)
    assert.equal(refused.status, 400, body)
  }
  const longType = await ann.request('PUT', `/sendToDevice/${'x'.repeat(256)}/t`, { messages: {} })
  assert.equal(longType.body.errcode, 'M_INVALID_PARAM')
})
