import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deleteOutgoingEvents } from '../../storage/federation-rooms.ts'
import { serversBehind, outboxProgress } from '../../storage/outbox.ts'
import { until } from '../../testing/until.ts'
import { OUTBOX_LIMITS } from './limits.ts'
import { accept, aWorld, outgoingCount, type World } from './testing/world.ts'

const A = 'a.example:8448'
const B = 'b.example:8448'
const BOB = `@bob:${A}`
const CARL = `@carl:${B}`

/** Changes of memberships that the server was told: `@user:server join`. */
function members(world: World, server: string): string[] {
  return world.sent
    .filter(({ to }) => to === server)
    .flatMap(({ pdus }) => pdus.filter(({ type }) => type === 'm.room.member'))
    .map((pdu) => `${pdu['state_key'] as string} ${(pdu['content'] as { membership: string }).membership}`)
}

test('[OUT1] an event goes to the servers in the room, signed', async () => {
  await using world = await aWorld()
  const room = await world.aRoom([BOB])
  const elsewhere = await world.aRoom([CARL])
  await world.say(room, 'hello')
  await world.say(elsewhere, 'you there')
  await world.untilHeard(A, 'hello')
  await world.untilHeard(B, 'you there')
  assert.deepEqual(world.heard(A), ['hello'])
  const pdus = world.sent.flatMap((transaction) => transaction.pdus)
  assert.ok(pdus.every((pdu) => 'signatures' in pdu && 'hashes' in pdu))
})

test('[OUT1] an event of another server that we let in goes to all but that server', async () => {
  await using world = await aWorld()
  const room = await world.aRoom([BOB, CARL])
  await world.say(room, 'last')
  await world.untilHeard(A, 'last')
  await world.untilHeard(B, 'last')
  assert.deepEqual(members(world, A), [`${CARL} join`])
  assert.deepEqual(members(world, B), [])
})

for (const ending of ['leave', 'ban']) {
  test(`[OUT1] ${ending}: a server whose last member is put out hears of that, and of nothing after it`, async () => {
    await using world = await aWorld()
    const room = await world.aRoom([BOB, CARL])
    await world.say(room, 'before')
    await world.member(room, BOB, ending, world.ann.userId)
    await world.say(room, 'after')
    await world.untilHeard(B, 'after')
    await until(() => members(world, A).includes(`${BOB} ${ending}`), 'the server hears of it')
    await world.untilQuiet()
    assert.deepEqual(world.heard(A), ['before'])
  })
}

test('[OUT1] who was invited hears that the invitation is gone', async () => {
  await using world = await aWorld()
  const room = await world.aRoom([BOB])
  await world.member(room, CARL, 'invite', world.ann.userId)
  await world.member(room, CARL, 'leave', world.ann.userId)
  await until(() => members(world, B).includes(`${CARL} leave`), 'the server hears of it')
  assert.deepEqual(members(world, B), [`${CARL} leave`])
  await until(() => members(world, A).length === 2, 'the room hears of both')
})

test('[OUT2] 51 events go out in two transactions, in order, the second after the answer to the first', async () => {
  await using world = await aWorld()
  const room = await world.aRoom([BOB])
  const gate = Promise.withResolvers<void>()
  world.answer(async () => {
    await gate.promise
    return { body: { pdus: {} } }
  })
  await world.say(room, 'first')
  await world.untilHeard(A, 'first')
  const rest = Array.from({ length: 51 }, (_, index) => `number ${index}`)
  for (const body of rest) await world.say(room, body)
  assert.equal(world.sent.length, 1)
  gate.resolve()
  await world.untilHeard(A, rest.at(-1)!)
  assert.deepEqual(
    world.sent.map(({ pdus }) => pdus.length),
    [1, 50, 1],
  )
  assert.deepEqual(world.heard(A), ['first', ...rest])
})

test('[OUT2] a server that does not answer holds up nobody else', async () => {
  await using world = await aWorld()
  const room = await world.aRoom([BOB, CARL])
  const never = Promise.withResolvers<undefined>()
  world.answer((transaction) => (transaction.to === A ? never.promise : { body: { pdus: {} } }))
  for (const body of ['one', 'two', 'three']) await world.say(room, body)
  await world.untilHeard(B, 'three')
  assert.equal(world.sent.filter(({ to }) => to === A).length, 1)
  never.resolve(undefined)
})

// Before and after progress is written down, and after the server has fallen behind.
for (const waitedMs of [0, 2_000, 10_000]) {
  test(`[OUT3] what was not answered ${waitedMs} ms later, at a crash, is sent again, with the same id`, async () => {
    await using world = await aWorld()
    const room = await world.aRoom([BOB])
    await world.say(room, 'warm')
    await world.untilHeard(A, 'warm')
    await world.untilQuiet()
    world.answer(() => new Promise(() => {}))
    await world.say(room, 'hello')
    await world.untilHeard(A, 'hello')
    for (let ms = 0; ms < waitedMs; ms += 500) {
      await world.clock.advance(500)
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
    world.answer(accept)
    await world.crash()
    await until(() => world.heard(A).length === 3, 'it is sent again')
    const [, before, after] = world.sent
    assert.equal(before!.txnId, after!.txnId)
    assert.deepEqual(before!.pdus, after!.pdus)
  })
}

test('[OUT3] a crash after the answer and before it is written down repeats, and skips nothing', async () => {
  await using world = await aWorld()
  const room = await world.aRoom([BOB])
  await world.say(room, 'hello')
  await world.untilHeard(A, 'hello')
  await world.crash()
  await until(() => world.heard(A).length === 2, 'it is sent again')
  assert.equal(world.sent[0]!.txnId, world.sent[1]!.txnId)
})

test('[OUT3] what is written down is not sent again', async () => {
  await using world = await aWorld()
  const room = await world.aRoom([BOB])
  await world.say(room, 'hello')
  await world.untilHeard(A, 'hello')
  await world.untilQuiet()
  await world.crash()
  await world.say(room, 'more')
  await world.untilHeard(A, 'more')
  await world.untilQuiet()
  assert.deepEqual(world.heard(A), ['hello', 'more'])
})

test('[OUT3] events that were committed and not looked at before a crash go out after it', async () => {
  await using world = await aWorld()
  const room = await world.aRoom([BOB])
  await world.stop()
  await world.say(room, 'hello')
  await world.crash()
  await world.untilHeard(A, 'hello')
})

test('[OUT3] crashes at every moment of a long absence skip nothing', async () => {
  await using world = await aWorld()
  const room = await world.aRoom([BOB, CARL])
  world.answer(({ to }) => (to === A ? undefined : { body: { pdus: {} } }))
  const said: string[] = []
  for (let round = 0; round < 6; round += 1) {
    for (let step = 0; step < 3; step += 1) {
      said.push(`${round}.${step}`)
      await world.say(room, said.at(-1)!)
      if (round % 2 === 0) await world.clock.advance(700)
    }
    await world.crash()
  }
  world.answer(accept)
  world.heardFrom(A)
  await world.untilHeard(B, said.at(-1)!)
  await until(async () => {
    await world.clock.advance(60_000)
    return said.every((body) => world.heard(A).includes(body))
  }, 'the server that was away hears everything')
  for (const body of said) assert.ok(world.heard(B).includes(body), body)
})

test('[OUT4][OUT5] servers that keep up need one position, and events that all have heard of are forgotten', async () => {
  await using world = await aWorld()
  const room = await world.aRoom([BOB, CARL])
  for (let index = 0; index < 5; index += 1) await world.say(room, `${index}`)
  await world.untilHeard(A, '4')
  await world.untilHeard(B, '4')
  await world.untilQuiet()
  const { db } = world.homeserver.parts
  assert.deepEqual(await serversBehind(db), [])
  assert.equal(await outgoingCount(world), 0)
  assert.equal(world.outbox.totals()?.servers, 0)
})

test('[OUT4] a server that fails gets a position of its own, and the others go on', async () => {
  await using world = await aWorld()
  const room = await world.aRoom([BOB, CARL])
  world.answer(({ to }) => (to === A ? undefined : { body: { pdus: {} } }))
  await world.say(room, 'one')
  await world.untilHeard(B, 'one')
  await world.untilQuiet()
  const { db } = world.homeserver.parts
  const behind = await serversBehind(db)
  assert.deepEqual(
    behind.map(({ server_name }) => server_name),
    [A],
  )
  await world.say(room, 'two')
  await world.untilHeard(B, 'two')
  await world.untilQuiet()
  assert.deepEqual(await serversBehind(db), behind)
  const progress = await outboxProgress(db)
  assert.ok(progress!.settled > behind[0]!.position + 1)
})

test('[OUT4] what cannot be written down is written down later', async () => {
  await using world = await aWorld()
  const room = await world.aRoom([BOB])
  await world.untilQuiet()
  let failures = 1
  world.failCommits((statements) => statements.some(({ sql }) => isProgress(sql)) && (failures -= 1) >= 0)
  await world.say(room, 'hello')
  await until(async () => {
    await world.clock.advance(1_000)
    return (await outgoingCount(world)) === 0
  }, 'it is forgotten')
  assert.ok(failures < 0)
  assert.equal(world.outbox.totals()!.servers, 0)
})

const isProgress = ({ strings }: { readonly strings: readonly string[] }): boolean =>
  strings.at(-1)!.includes('SET settled = ')

test('[OUT10] a server that is heard from is told at once what it missed, in order', async () => {
  await using world = await aWorld()
  const room = await world.aRoom([BOB])
  world.answer(() => undefined)
  const said = ['one', 'two', 'three']
  for (const body of said) await world.say(room, body)
  await world.untilQuiet()
  world.sent.splice(0)
  world.answer(accept)
  world.heardFrom(A)
  await world.untilHeard(A, 'three')
  assert.deepEqual(world.heard(A), said)
  await world.untilQuiet()
  assert.deepEqual(await serversBehind(world.homeserver.parts.db), [])
  await world.say(room, 'four')
  await world.untilHeard(A, 'four')
})

const FAILURES = {
  'a 500': { status: 500, body: { errcode: 'M_UNKNOWN', error: 'oops' } },
  'a 429': { status: 429, body: { errcode: 'M_LIMIT_EXCEEDED', error: 'slow', retry_after_ms: 20_000 } },
  'a timeout': { failure: 'timeout' },
  'a page that is no JSON': { body: '<html>' },
  'a list': { body: [] },
  'a redirect': { status: 302, headers: { location: 'https://elsewhere.example/' } },
  'a 404': { status: 404, body: { errcode: 'M_UNRECOGNIZED', error: 'what?' } },
} as const

for (const [what, failure] of Object.entries(FAILURES)) {
  test(`[OUT10] after ${what} the transaction is repeated with the same id, and later than at once`, async () => {
    await using world = await aWorld()
    const room = await world.aRoom([BOB])
    world.answer(() => failure)
    await world.say(room, 'hello')
    await world.untilHeard(A, 'hello')
    await new Promise((resolve) => setTimeout(resolve, 50))
    assert.equal(world.sent.length, 1)
    world.answer(accept)
    await until(async () => {
      await world.clock.advance(5_000)
      return world.sent.length === 2
    }, 'it is repeated')
    assert.equal(world.sent[0]!.txnId, world.sent[1]!.txnId)
    await world.untilQuiet()
    assert.equal(world.sent.length, 2)
  })
}

test('[OUT11] a server that missed 50 events is told all of them', async () => {
  await using world = await aWorld()
  const rooms = [await world.aRoom([BOB]), await world.aRoom([BOB])]
  world.answer(() => undefined)
  const said = Array.from({ length: 50 }, (_, index) => `${index}`)
  for (const [index, body] of said.entries()) await world.say(rooms[index % 2]!, body)
  await world.untilQuiet()
  world.sent.splice(0)
  world.answer(accept)
  world.heardFrom(A)
  await world.untilHeard(A, '49')
  assert.deepEqual(world.heard(A), said)
})

test('[OUT11] after a long absence only the newest event of each room and the departures are told', async () => {
  await using world = await aWorld()
  const talk = await world.aRoom([BOB])
  const quiet = await world.aRoom([BOB])
  const left = await world.aRoom([BOB, CARL])
  await world.say(quiet, 'quiet')
  await world.untilHeard(A, 'quiet')
  await world.untilQuiet()
  world.answer(({ to }) => (to === A ? undefined : { body: { pdus: {} } }))
  for (let index = 0; index < 130; index += 1) await world.say(talk, `talk ${index}`)
  await world.say(left, 'before')
  await world.member(left, BOB, 'leave', world.ann.userId)
  await world.say(left, 'after')
  await world.untilQuiet()
  world.sent.splice(0)
  world.answer(accept)
  world.heardFrom(A)
  await world.untilHeard(A, 'talk 129')
  await world.untilQuiet()
  assert.deepEqual(world.heard(A), ['talk 129'])
  assert.deepEqual(members(world, A), [`${BOB} leave`])
  await world.say(talk, 'live')
  await world.untilHeard(A, 'live')
})

test('[OUT11] an absence of hundreds of rooms is made up in several transactions, across a crash', async () => {
  await using world = await aWorld()
  const rooms: string[] = []
  for (let index = 0; index < 120; index += 1) rooms.push(await world.aRoom([BOB]))
  world.answer(() => undefined)
  for (const [index, room] of rooms.entries()) await world.say(room, `room ${index}`)
  await world.untilQuiet()
  world.sent.splice(0)
  let answered = 0
  world.answer(() => {
    answered += 1
    return answered > 1 ? undefined : { body: { pdus: {} } }
  })
  world.heardFrom(A)
  await until(() => answered === 2, 'the second fails')
  await world.untilQuiet()
  world.answer(accept)
  await world.crash()
  await until(async () => {
    await world.clock.advance(10_000)
    return rooms.every((_, index) => world.heard(A).includes(`room ${index}`))
  }, 'all rooms are told')
  assert.ok(world.sent.every(({ pdus }) => pdus.length <= 50))
})

test('[OUT12] what was said before a server came is not shown to it after a start', async () => {
  await using world = await aWorld()
  const room = await world.aRoom([BOB])
  await world.ann.ok('PUT', `/rooms/${room}/state/m.room.history_visibility/`, { history_visibility: 'joined' })
  await world.untilQuiet()
  await world.stop()
  await world.say(room, 'a secret')
  await world.member(room, CARL, 'join')
  await world.start()
  await world.say(room, 'open')
  await world.untilHeard(A, 'a secret')
  await world.untilHeard(B, 'open')
  assert.deepEqual(world.heard(B), ['open'])
})

test('[OUT13] an error of one event is remembered, and nothing is repeated', async () => {
  await using world = await aWorld()
  const room = await world.aRoom([BOB])
  const known = Promise.withResolvers<string>()
  world.answer(async () => ({ body: { pdus: { [await known.promise]: { error: 'no\nthanks' }, $other: 7 } } }))
  const eventId = await world.say(room, 'hello')
  known.resolve(eventId)
  await world.untilHeard(A, 'hello')
  await world.untilQuiet()
  const report = await world.outbox.event(await world.storedEvent(room, eventId))
  assert.deepEqual([...report!.refusedBy], [[A, 'no thanks']])
  assert.deepEqual(report!.waiting, [])
  assert.equal(world.sent.length, 1)
})

test('[OUT14] one event that a server refuses as bad is found and passed over; the others arrive', async () => {
  await using world = await aWorld()
  const room = await world.aRoom([BOB])
  const gate = Promise.withResolvers<void>()
  const isBad = (pdu: object): boolean => JSON.stringify(pdu).includes('bad one')
  world.answer(async ({ pdus }) => {
    await gate.promise
    if (pdus.some(isBad)) return { status: 400, body: { errcode: 'M_BAD_JSON', error: 'cannot read this' } }
    return { body: { pdus: {} } }
  })
  const said = Array.from({ length: 20 }, (_, index) => (index === 7 ? 'bad one' : `good ${index}`))
  for (const body of said) await world.say(room, body)
  gate.resolve()
  await until(async () => {
    await world.clock.advance(10_000)
    return world.heard(A).includes('good 19') && world.outbox.totals()!.servers === 0
  }, 'all good ones arrive')
  const accepted = world.sent.filter(({ pdus }) => !pdus.some(isBad)).flatMap(({ pdus }) => pdus)
  assert.equal(accepted.length, 19)
})

test('[OUT14] a server that does not accept us loses nothing', async () => {
  await using world = await aWorld()
  const room = await world.aRoom([BOB])
  world.answer(() => ({ status: 401, body: { errcode: 'M_UNAUTHORIZED', error: 'who are you?' } }))
  await world.say(room, 'hello')
  for (let hour = 0; hour < 10; hour += 1) await world.clock.advance(3_600_000)
  assert.ok(world.sent.length < 30, `${world.sent.length} tries`)
  world.sent.splice(0)
  world.answer(accept)
  await until(async () => {
    await world.clock.advance(600_000)
    return world.heard(A).length === 1
  }, 'it hears us in the end')
})

test('[OUT30] a stop waits for what is in flight and writes it down', async () => {
  await using world = await aWorld()
  const room = await world.aRoom([BOB])
  const gate = Promise.withResolvers<void>()
  world.answer(async () => {
    await gate.promise
    return { body: { pdus: {} } }
  })
  await world.say(room, 'hello')
  await world.untilHeard(A, 'hello')
  const stopped = world.stop()
  gate.resolve()
  await stopped
  await world.start()
  await world.untilQuiet()
  assert.deepEqual(world.heard(A), ['hello'])
})

test('[OUT30] a stop does not wait for ever', async () => {
  await using world = await aWorld()
  const room = await world.aRoom([BOB])
  world.answer((_, signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve(undefined))))
  await world.say(room, 'hello')
  await world.untilHeard(A, 'hello')
  let isStopped = false
  const stopped = world.stop().then(() => (isStopped = true))
  await world.clock.advance(OUTBOX_LIMITS.drainMs - 1)
  assert.equal(isStopped, false)
  await world.clock.advance(1)
  await stopped
  world.answer(accept)
  await world.start()
  await until(async () => {
    await world.clock.advance(1_000)
    return world.heard(A).length === 2
  }, 'it is sent again')
})

test('events of rooms and servers that are gone stop nobody', async () => {
  await using world = await aWorld()
  const room = await world.aRoom([BOB])
  await world.stop()
  await world.say(room, 'gone')
  await world.homeserver.parts.db.commit([deleteOutgoingEvents(Number.MAX_SAFE_INTEGER)])
  await world.start()
  await world.say(room, 'there')
  await world.untilHeard(A, 'there')
})
