import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ServerName } from '@holdfast/protocol/ids/brand'
import { countOutgoingEdus, insertOutgoingEdu } from '../../storage/outbox.ts'
import { until } from '../../testing/until.ts'
import { OUTBOX_LIMITS } from './limits.ts'
import { accept, aWorld, type World } from './testing/world.ts'

const A = 'a.example:8448' as ServerName
const B = 'b.example:8448' as ServerName
const BOB = `@bob:${A}`

function toDevice(number: number, size = 1): string {
  const content = { message_id: `m${number}`, sender: '@ann:example.org', type: 'm.test', text: 'x'.repeat(size) }
  return JSON.stringify({ edu_type: 'm.direct_to_device', content })
}

async function enqueue(world: World, to: ServerName, edus: readonly { key?: string; edu: string }[]): Promise<void> {
  const { streams, outgoing } = world.homeserver.parts
  const statements = edus.map((edu, positionOffset) => insertOutgoingEdu({ ...edu, positionOffset, destination: to }))
  await streams.commit(statements, { positions: edus.length, publish: () => outgoing.wake([to]) })
}

function messageIds(world: World, to: string): string[] {
  const edus = world.sent.filter((transaction) => transaction.to === to).flatMap((transaction) => transaction.edus)
  return edus.flatMap((edu) => (edu['content'] as { message_id?: string }).message_id ?? [])
}

function numbered(count: number): { edu: string }[] {
  return Array.from({ length: count }, (_, index) => ({ edu: toDevice(index) }))
}

const ids = (count: number): string[] => Array.from({ length: count }, (_, index) => `m${index}`)

async function waiting(world: World, server: string): Promise<number> {
  return (await countOutgoingEdus(world.homeserver.parts.db, server))[0]!
}

test('[OUT20] of ephemeral EDUs the newest with a key goes out, once', async () => {
  await using world = await aWorld()
  const gate = Promise.withResolvers<void>()
  world.answer(async () => {
    await gate.promise
    return { body: { pdus: {} } }
  })
  const typing = (room: string, isTyping: boolean) =>
    world.outbox.sendEphemeral([A, B, 'example.org' as ServerName], {
      key: `typing ${room}`,
      eduType: 'm.typing',
      content: { room_id: room, user_id: '@ann:example.org', typing: isTyping },
    })
  typing('!r', true)
  await until(() => world.sent.length === 2, 'both servers are told')
  typing('!r', false)
  typing('!other', true)
  typing('!r', true)
  typing('!r', false)
  gate.resolve()
  await until(() => world.sent.length === 4, 'both are told the rest')
  await world.untilQuiet()
  assert.equal(world.sent.length, 4)
  const last = world.sent.findLast(({ to }) => to === A)!
  assert.deepEqual(
    last.edus.map(({ content }) => content),
    [
      { room_id: '!other', user_id: '@ann:example.org', typing: true },
      { room_id: '!r', user_id: '@ann:example.org', typing: false },
    ],
  )
})

test('[OUT20] what is said a second time in the same words has another transaction id', async () => {
  await using world = await aWorld()
  const edu = { key: 'k', eduType: 'm.typing', content: { room_id: '!r', typing: true } }
  world.outbox.sendEphemeral([A], edu)
  await until(() => world.sent.length === 1, 'it goes out')
  await world.untilQuiet()
  world.outbox.sendEphemeral([A], edu)
  await until(() => world.sent.length === 2, 'it goes out again')
  assert.notEqual(world.sent[0]!.txnId, world.sent[1]!.txnId)
})

test('[OUT20] ephemeral EDUs for a server that cannot be reached are dropped', async () => {
  await using world = await aWorld()
  world.answer(() => undefined)
  const send = (key: string) => world.outbox.sendEphemeral([A], { key, eduType: 'm.typing', content: { key } })
  send('one')
  await until(() => world.sent.length === 1, 'it is tried')
  await until(() => world.outbox.totals()!.pausing === 1, 'it failed')
  send('two')
  world.answer(accept)
  world.heardFrom(A)
  await world.untilQuiet()
  assert.equal(world.sent.length, 1)
  send('three')
  await until(() => world.sent.length === 2, 'it goes out')
  assert.deepEqual(world.sent[1]!.edus, [{ edu_type: 'm.typing', content: { key: 'three' } }])
})

test('[OUT20] presence of several users is one EDU', async () => {
  await using world = await aWorld()
  const gate = Promise.withResolvers<void>()
  world.answer(async () => {
    await gate.promise
    return { body: { pdus: {} } }
  })
  world.outbox.sendEphemeral([A], { key: 'k', eduType: 'm.typing', content: {} })
  await until(() => world.sent.length === 1, 'the first goes out')
  for (const user_id of ['@ann:example.org', '@ben:example.org']) {
    const content = { push: [{ user_id, presence: 'online', last_active_ago: 0 }] }
    world.outbox.sendEphemeral([A], { key: `presence ${user_id}`, eduType: 'm.presence', content })
  }
  gate.resolve()
  await until(() => world.sent.length === 2, 'the second goes out')
  const [edu, ...others] = world.sent[1]!.edus
  assert.equal(others.length, 0)
  assert.equal((edu!['content'] as { push: unknown[] }).push.length, 2)
})

test('[OUT20] ephemeral EDUs for one server stay within a bound', async () => {
  await using world = await aWorld()
  const gate = Promise.withResolvers<void>()
  world.answer(async () => {
    await gate.promise
    return { body: { pdus: {} } }
  })
  const count = OUTBOX_LIMITS.ephemeralMax + 150
  for (let index = 0; index < count; index += 1) {
    world.outbox.sendEphemeral([A], { key: `${index}`, eduType: 'm.receipt', content: { index } })
  }
  gate.resolve()
  await world.untilQuiet()
  const told = world.sent.flatMap(({ edus }) => edus.map(({ content }) => (content as { index: number }).index))
  assert.deepEqual(
    told,
    Array.from({ length: OUTBOX_LIMITS.ephemeralMax }, (_, index) => 150 + index),
  )
  assert.ok(world.sent.every(({ edus }) => edus.length <= 100))
})

test('[OUT21] EDUs in storage go out in order, at most 100 at once, and are gone when the server has them', async () => {
  await using world = await aWorld()
  await enqueue(world, A, numbered(250))
  await until(() => messageIds(world, A).length === 250, 'all go out')
  assert.deepEqual(messageIds(world, A), ids(250))
  assert.deepEqual(
    world.sent.map(({ edus }) => edus.length),
    [100, 100, 50],
  )
  await until(async () => (await waiting(world, A)) === 0, 'they are gone')
})

test('[OUT21] big EDUs go out a few at a time', async () => {
  await using world = await aWorld()
  const size = Math.floor(OUTBOX_LIMITS.eduCharactersMax / 3)
  const edus = [3 * size + 1000, size, size, size].map((characters, index) => ({ edu: toDevice(index, characters) }))
  await enqueue(world, A, edus)
  await until(() => messageIds(world, A).length === 4, 'all go out')
  assert.deepEqual(
    world.sent.map((transaction) => transaction.edus.length),
    [1, 2, 1],
  )
})

test('[OUT21] EDUs survive failures and a crash, and are sent again with the same id', async () => {
  await using world = await aWorld()
  world.answer(() => ({ status: 503 }))
  await enqueue(world, A, numbered(3))
  await until(() => messageIds(world, A).length === 3, 'they are tried')
  await until(() => world.outbox.totals()!.pausing === 1, 'it failed')
  world.answer(() => new Promise(() => {}))
  await world.clock.advance(2_000)
  await until(() => messageIds(world, A).length === 6, 'they are tried again')
  world.answer(accept)
  await world.crash()
  await until(async () => {
    await world.clock.advance(1_000)
    return messageIds(world, A).length === 9
  }, 'they arrive')
  assert.equal(new Set(world.sent.map(({ txnId }) => txnId)).size, 1)
  await world.untilQuiet()
  assert.equal(await waiting(world, A), 0)
  await world.crash()
  await world.untilQuiet()
  assert.equal(messageIds(world, A).length, 9)
})

test('[OUT21] EDUs that cannot be deleted when the server has them are gone later, and not sent again', async () => {
  await using world = await aWorld()
  let failures = 2
  world.failCommits((statements) => statements.some(({ sql }) => isDeletion(sql)) && (failures -= 1) >= 0)
  await enqueue(world, A, numbered(2))
  await until(() => messageIds(world, A).length === 2, 'they go out')
  await until(async () => {
    await world.clock.advance(1_000)
    return (await waiting(world, A)) === 0
  }, 'they are gone')
  await world.untilQuiet()
  assert.ok(failures < 0)
  assert.deepEqual(messageIds(world, A), ids(2))
  assert.equal(world.outbox.totals()!.servers, 0)
})

const isDeletion = ({ strings }: { readonly strings: readonly string[] }): boolean =>
  strings[0]!.startsWith('DELETE FROM outgoing_edus')

test('[OUT21] EDUs that were committed and not looked at before a crash go out after it', async () => {
  await using world = await aWorld()
  await world.stop()
  await enqueue(world, A, numbered(1))
  await world.crash()
  await until(async () => {
    await world.clock.advance(100)
    return messageIds(world, A).length === 1
  }, 'it goes out')
})

test('[OUT14] one EDU that a server refuses as bad is passed over; the others arrive', async () => {
  await using world = await aWorld()
  const room = await world.aRoom([BOB])
  const isBad = ({ edus }: { edus: readonly unknown[] }): boolean => JSON.stringify(edus).includes('"m3"')
  world.answer((transaction) => (isBad(transaction) ? { status: 413 } : { body: { pdus: {} } }))
  await enqueue(world, A, numbered(8))
  await world.say(room, 'hello')
  await until(async () => {
    await world.clock.advance(10_000)
    return world.outbox.totals()!.servers === 0
  }, 'all that can arrive does')
  const arrived = world.sent.filter((transaction) => !isBad(transaction))
  const got = arrived.flatMap(({ edus }) => edus.map(({ content }) => (content as { message_id: string }).message_id))
  assert.deepEqual(
    [...new Set(got)].toSorted(),
    ids(8).filter((id) => id !== 'm3'),
  )
  assert.equal(arrived.flatMap(({ pdus }) => pdus).length, 1)
})

test('[OUT22] of many EDUs that wait, the newest with a key stays', async () => {
  await using world = await aWorld()
  world.answer(() => undefined)
  const edus = Array.from({ length: 600 }, (_, index) => ({
    ...(index % 3 === 0 ? {} : { key: `m.device_list_update @user${index % 7}:example.org` }),
    edu: toDevice(index),
  }))
  for (const edu of edus) await enqueue(world, A, [edu])
  await until(async () => (await waiting(world, A)) < 400, 'they are fewer')
  world.answer(accept)
  world.sent.splice(0)
  world.heardFrom(A)
  await until(() => messageIds(world, A).includes('m599'), 'the newest arrives')
  const got = new Set(messageIds(world, A))
  for (let index = 0; index < 600; index += 3) assert.ok(got.has(`m${index}`), `m${index} counts by itself`)
})

test('[OUT23] an update of a device list goes to each server that shares a room with the user, once', async () => {
  await using world = await aWorld()
  await world.aRoom([BOB])
  await world.untilQuiet()
  world.sent.splice(0)
  const login = { type: 'm.login.password', identifier: { type: 'm.id.user', user: 'ann' }, password: 'secret-ann' }
  await world.homeserver.ok('POST', '/login', { body: { ...login, initial_device_display_name: 'a phone' } })
  await until(() => updates(world).length > 0, 'it goes out')
  await world.untilQuiet()
  await world.crash()
  await world.untilQuiet()
  assert.deepEqual(updates(world), [`${A} ${world.ann.userId}`])
})

/** Updates of device lists: `server @user:server`. */
function updates(world: World): string[] {
  return world.sent.flatMap(({ to, edus }) =>
    edus
      .filter((edu) => edu['edu_type'] === 'm.device_list_update')
      .map((edu) => `${to} ${(edu['content'] as { user_id: string }).user_id}`),
  )
}

test('[OUT24] who comes into a room is told to the servers there that shared none with them', async () => {
  await using world = await aWorld()
  const first = await world.aRoom([BOB])
  const both = await world.aRoom([BOB, `@carl:${B}`])
  const ben = await world.homeserver.user('ben')
  // The update for the new device goes out on its own, to those whom he knows by then: nobody.
  await world.untilQuiet()
  await ben.ok('POST', `/join/${first}`, {})
  await until(() => updates(world).length === 1, 'the first server is told')
  await ben.ok('POST', `/join/${both}`, {})
  await until(() => updates(world).length === 2, 'the second is told')
  await ben.ok('PUT', `/profile/${ben.userId}/displayname`, { displayname: 'Ben' })
  await world.member(first, `@dora:d.example`, 'join')
  await world.untilQuiet()
  assert.deepEqual(updates(world), [`${A} ${ben.userId}`, `${B} ${ben.userId}`])
  const { edus } = world.sent.find((transaction) => transaction.edus.length > 0)!
  const { device_id: deviceId, prev_id: previous } = edus[0]!['content'] as { device_id: string; prev_id: number[] }
  assert.deepEqual([deviceId, previous], [ben.deviceId, []])
})

test('[OUT24] also who came just before a crash, and nobody twice', async () => {
  await using world = await aWorld()
  const room = await world.aRoom([BOB])
  const ben = await world.homeserver.user('ben')
  await world.untilQuiet()
  await world.stop()
  await ben.ok('POST', `/join/${room}`, {})
  await world.crash()
  await until(async () => {
    await world.clock.advance(100)
    return updates(world).length === 1
  }, 'the server is told')
  await world.untilQuiet()
  await world.crash()
  await world.untilQuiet()
  assert.deepEqual(updates(world), [`${A} ${ben.userId}`])
})
