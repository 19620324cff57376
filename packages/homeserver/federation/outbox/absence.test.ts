import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ServerName } from '@holdfast/protocol/ids/brand'
import { insertOutgoingEvent, outgoingEvents } from '../../storage/federation-rooms.ts'
import { startTestHomeserver } from '../../testing/homeserver.ts'
import { until } from '../../testing/until.ts'
import { compaction } from './compact.ts'
import { newLane } from './lane.ts'
import { OUTBOX_LIMITS } from './limits.ts'
import { accept, aWorld } from './testing/world.ts'

const A = 'a.example:8448' as ServerName
const B = 'b.example:8448' as ServerName
const BOB = `@bob:${A}`
const CARL = `@carl:${B}`

test('[OUT11] a server that was put out of a room while it was away gets what came before that, too', async () => {
  await using world = await aWorld()
  const room = await world.aRoom([BOB, CARL])
  world.answer(({ to }) => (to === A ? undefined : { body: { pdus: {} } }))
  await world.ann.ok('PUT', `/rooms/${room}/state/m.room.history_visibility/`, { history_visibility: 'joined' })
  await world.say(room, 'before')
  await world.member(room, BOB, 'ban', world.ann.userId)
  await world.say(room, 'after')
  await world.untilQuiet()
  world.sent.splice(0)
  world.answer(accept)
  await world.crash()
  world.heardFrom(A)
  const types = () => world.sent.filter(({ to }) => to === A).flatMap(({ pdus }) => pdus.map(({ type }) => type))
  await until(async () => {
    await world.clock.advance(1_000)
    return types().includes('m.room.member')
  }, 'it hears of its end')
  await world.untilQuiet()
  assert.deepEqual(types().slice(-3), ['m.room.history_visibility', 'm.room.message', 'm.room.member'])
  assert.deepEqual(world.heard(A), ['before'])
})

test('[OUT3] a kick that was not looked at before a crash arrives with what came before it', async () => {
  await using world = await aWorld()
  const room = await world.aRoom([BOB])
  await world.untilQuiet()
  await world.stop()
  await world.say(room, 'before')
  await world.member(room, BOB, 'leave', world.ann.userId)
  await world.crash()
  const types = () => world.sent.flatMap(({ pdus }) => pdus.map(({ type }) => type))
  await until(() => types().length === 2, 'both arrive')
  assert.deepEqual(types(), ['m.room.message', 'm.room.member'])
})

for (const visibility of ['shared', 'world_readable', 'invited', 'joined']) {
  test(`[OUT12] ${visibility}: who hears only that an invitation is gone gets nothing of the room`, async () => {
    await using world = await aWorld()
    const room = await world.aRoom([BOB])
    const path = `/rooms/${room}/state/m.room.history_visibility/`
    await world.ann.ok('PUT', path, { history_visibility: visibility })
    await world.untilQuiet()
    await world.stop()
    await world.say(room, 'before')
    await world.member(room, CARL, 'invite', world.ann.userId)
    await world.say(room, 'while invited')
    await world.member(room, CARL, 'leave', world.ann.userId)
    await world.crash()
    await world.untilHeard(A, 'while invited')
    const toldToB = () => world.sent.filter(({ to }) => to === B).flatMap(({ pdus }) => pdus)
    await until(() => toldToB().length > 0, 'the invited server is told')
    await world.untilQuiet()
    assert.deepEqual(world.heard(B), [])
    assert.ok(toldToB().every((pdu) => pdu['state_key'] === CARL))
  })
}

test('[OUT5] of old events the newest of each room stays, and who was put out by them while away', async () => {
  await using homeserver = await startTestHomeserver()
  const { db, streams } = homeserver.parts
  const count = OUTBOX_LIMITS.eventsKept + OUTBOX_LIMITS.compactedAtOnce
  const departed = new Map([
    [10, [A]],
    [20, [B]],
  ])
  const rows = Array.from({ length: count }, (_, index) =>
    insertOutgoingEvent({
      positionOffset: index,
      roomNid: index % 5,
      eventNid: index,
      departed: departed.get(index) ?? [],
    }),
  )
  let first = 0
  await streams.commit(rows, { positions: count, publish: (position) => (first = position) })
  const away = newLane(A)
  away.gap = { after: first - 1, upTo: undefined }
  const step = compaction({ db, lanes: new Map([[A, away]]), settled: () => first + count })
  assert.equal(await step(), true)
  assert.equal(await step(), false)
  const left = await outgoingEvents(db, { after: 0, upTo: first + count, limit: count })
  const old = left.map(({ event_nid }) => event_nid).filter((nid) => nid < OUTBOX_LIMITS.compactedAtOnce)
  const { compactedAtOnce } = OUTBOX_LIMITS
  assert.deepEqual(old, [10, ...Array.from({ length: 5 }, (_, index) => compactedAtOnce - 5 + index)])
  assert.equal(left.length, OUTBOX_LIMITS.eventsKept + 6)
})

test('[OUT4] an event for hundreds of servers costs a handful of rows, and never too many connections', async () => {
  await using world = await aWorld()
  const servers = Array.from({ length: 300 }, (_, index) => `s${index}.example:8448`)
  const room = await world.aRoom([])
  await world.serversIn(room, servers)
  let now = 0
  let most = 0
  world.answer(async () => {
    now += 1
    most = Math.max(most, now)
    await new Promise((resolve) => setTimeout(resolve, 20))
    now -= 1
    return { body: { pdus: {} } }
  })
  const { db } = world.homeserver.parts
  let statements = 0
  const commit = db.commit.bind(db)
  db.commit = (list, options) => {
    statements += list.length
    return commit(list, options)
  }
  world.sent.splice(0)
  await world.say(room, 'hello')
  await until(() => world.sent.length === servers.length, 'all are told')
  await world.untilQuiet()
  assert.equal(new Set(world.sent.map(({ to }) => to)).size, servers.length)
  assert.ok(most <= OUTBOX_LIMITS.inFlightMax, `${most} at once`)
  assert.ok(most > OUTBOX_LIMITS.inFlightMax / 2, `only ${most} at once`)
  assert.ok(statements < 60, `${statements} statements`)
})

test('[OUT31] of servers that failed before, not too many are tried at once after a start', async () => {
  await using world = await aWorld()
  const servers = Array.from({ length: 60 }, (_, index) => `s${index}.example:8448`)
  world.answer(() => undefined)
  const room = await world.aRoom(servers.map((server) => `@bob:${server}`))
  await world.say(room, 'hello')
  await world.untilQuiet()
  let now = 0
  let most = 0
  world.answer(async () => {
    now += 1
    most = Math.max(most, now)
    await new Promise((resolve) => setTimeout(resolve, 20))
    now -= 1
    return undefined
  })
  await world.crash()
  const remembered = await world.outbox.server(servers[0] as ServerName)
  assert.notEqual(remembered!.destination.kind, 'up')
  await world.clock.advance(100_000)
  await world.untilQuiet()
  assert.ok(most > 0 && most <= OUTBOX_LIMITS.probesMax, `${most} at once`)
})

test('[OUT31] servers that come back together are told as fast as they answer, not by the clock', async () => {
  await using world = await aWorld()
  const servers = Array.from({ length: 3 * OUTBOX_LIMITS.probesMax }, (_, index) => `s${index}.example:8448`)
  const room = await world.aRoom([])
  await world.serversIn(room, servers)
  world.answer(() => undefined)
  await world.say(room, 'hello')
  await until(() => world.outbox.totals()!.pausing === servers.length, 'all failed')
  world.sent.splice(0)
  let now = 0
  let most = 0
  world.answer(async () => {
    now += 1
    most = Math.max(most, now)
    await new Promise((resolve) => setTimeout(resolve, 20))
    now -= 1
    return { body: { pdus: {} } }
  })
  for (const server of servers) world.heardFrom(server)
  // The clock stands still.
  await until(() => servers.every((server) => world.heard(server).includes('hello')), 'all are told')
  assert.ok(most <= OUTBOX_LIMITS.probesMax, `${most} at once`)
})

test('what waits for a server, and who was not told of an event, can be asked', async () => {
  await using world = await aWorld()
  const room = await world.aRoom([BOB, CARL])
  world.answer(({ to }) => (to === A ? { status: 502 } : { body: { pdus: {} } }))
  const eventId = await world.say(room, 'hello')
  await world.untilHeard(B, 'hello')
  await world.untilQuiet()
  await world.say(room, 'more')
  await world.untilQuiet()
  const event = await world.storedEvent(room, eventId)
  assert.deepEqual((await world.outbox.event(event))!.waiting, [A])
  const report = (await world.outbox.server(A))!
  assert.equal(report.waitingEvents, 3)
  assert.equal(report.isMore, false)
  assert.match(report.lastError!.message, /502/)
  assert.ok(report.retryInMs! > 0)
  assert.equal(report.destination.kind, 'backing-off')
  const other = (await world.outbox.server(B))!
  assert.deepEqual([other.toldUpTo, other.waitingEvents, other.lastError], [undefined, 0, undefined])
  const { behind, pausing } = world.outbox.totals()!
  assert.deepEqual([behind, pausing], [1, 1])
})
