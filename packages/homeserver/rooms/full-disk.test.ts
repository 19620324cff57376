/** A disk that is full in the middle of everything, by a real limit of the database. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { statement } from '@holdfast/platform/database/database'
import { loadMigrations } from '@holdfast/platform/database/migrations'
import { sql } from '@holdfast/platform/database/sql'
import { openSqlite } from '@holdfast/platform/database/sqlite/open'
import { stateMapGet, forEachInStateMap } from '@holdfast/protocol/state/state-map'
import type { RoomId } from '@holdfast/protocol/ids/brand'
import { MIGRATIONS_FOLDER } from '../open-homeserver.ts'
import { expectedRoom } from '../testing/expected-room.ts'
import { FollowingClient } from '../testing/following-client.ts'
import { startTestHomeserver, type TestHomeserver, type TestResponse, type TestUser } from '../testing/homeserver.ts'

const BYTES_MAX = 3_000_000
const BIG = 'x'.repeat(40_000)

function startSmall(): Promise<TestHomeserver> {
  return startTestHomeserver({
    settings: { presence: false },
    openDatabase: async (folder) =>
      openSqlite({
        folder,
        migrations: await loadMigrations(MIGRATIONS_FOLDER),
        writer: 'inline',
        checkpoints: 'inline',
        readerThreads: 0,
        bytesMax: BYTES_MAX,
      }),
  })
}

/** Space that an operator can give back: rows that are nobody's. */
async function setAside(server: TestHomeserver): Promise<Disposable & { giveBack(): Promise<void> }> {
  const { db } = server.parts
  await db.commit(
    Array.from({ length: 10 }, (_, number) =>
      statement(sql`INSERT INTO filters (user_nid, filter_id, filter) VALUES (${-1}, ${`space${number}`}, ${BIG})`),
    ),
  )
  const giveBack = async (): Promise<void> => {
    await db.commit([statement(sql`DELETE FROM filters WHERE user_nid = ${-1}`)])
  }
  return { giveBack, [Symbol.dispose]: () => undefined }
}

function assertUnavailable({ status, body }: TestResponse): void {
  assert.deepEqual([status, body.errcode], [503, 'M_UNKNOWN'])
}

/** What is in memory of a room is what is on disk. */
async function assertHeadIsStored({ parts }: TestHomeserver, roomId: string): Promise<void> {
  const roomNid = (await parts.heads.roomNid(roomId as RoomId))!
  const inMemory = await parts.heads.byNid(roomNid)
  const { members } = inMemory
  parts.heads.drop(roomNid)
  const stored = await parts.heads.byNid(roomNid)
  assert.equal(inMemory.lastPosition, stored.lastPosition)
  assert.equal(inMemory.depth, stored.depth)
  assert.deepEqual(
    inMemory.extremities.map(({ nid }) => nid),
    stored.extremities.map(({ nid }) => nid),
  )
  assert.equal(inMemory.state.map.size, stored.state.map.size)
  forEachInStateMap(inMemory.state.map, (key, nid) => assert.equal(stateMapGet(stored.state.map, key), nid))
  assert.deepEqual(members, stored.members)
}

test('[ROOM30] on a full disk writes answer 503 and reads go on; nothing is lost, doubled or half done, and space is enough to go on', async () => {
  await using server = await startSmall()
  const ann = await server.user('ann')
  const bob = await server.user('bob')
  const eve = await server.user('eve')
  const { room_id: roomId } = await ann.ok('POST', '/createRoom', { preset: 'public_chat' })
  const room = `/rooms/${encodeURIComponent(roomId)}`
  await bob.ok('POST', `${room}/join`, {})
  const client = followerOf(bob)
  await client.sync()
  using space = await setAside(server)
  const { sent, refused } = await fill(ann, room, client)
  assert.equal(sent.length > 10 && refused.length > 10, true, `${sent.length} of ${sent.length + refused.length} fit`)

  await ann.ok('GET', `${room}/messages?dir=b&limit=50`)
  await ann.ok('GET', `${room}/state`)
  const rooms = (await ann.ok('GET', '/joined_rooms')).joined_rooms
  await assertNothingHalfDone(server, { ann, eve, room, roomId })
  assert.deepEqual((await ann.ok('GET', '/joined_rooms')).joined_rooms, rooms)
  await client.sync()

  await space.giveBack()
  await eve.ok('POST', `${room}/join`, {})
  // The very request that was refused is done now, once.
  for (const path of refused.slice(0, 3)) sent.push((await ann.ok('PUT', path, { body: 'at last' })).event_id)
  for (const restart of [false, true]) {
    if (restart) await server.restart()
    while (await client.sync()) continue
    await assertHeadIsStored(server, roomId)
    const all = await pages(ann, room)
    const expected = expectedRoom(all, bob.userId)!.events.map(({ event_id }) => event_id)
    assert.deepEqual(
      client.rooms.get(roomId)!.events.map(({ event_id }) => event_id),
      expected,
    )
    for (const eventId of sent) assert.equal(expected.filter((other) => other === eventId).length, 1)
    assert.equal(all.filter(({ type }) => type === 'm.room.message').length, sent.length)
  }
})

function followerOf(user: TestUser): FollowingClient {
  const limits = { timelineLimit: 5, pageLimit: 20, lazyLoadMembers: false, useStateAfter: false }
  return new FollowingClient({ name: user.userId, user, ...limits })
}

/** Sends until the disk is full, several at once, with somebody following. */
async function fill(
  ann: TestUser,
  room: string,
  client: FollowingClient,
): Promise<{ readonly sent: string[]; readonly refused: readonly string[] }> {
  const sent: string[] = []
  const refused: string[] = []
  // Several at once until none of them fits, then one by one until not even that does.
  for (let round = 0, atOnce = 7, before = -1; refused.length <= 20 || atOnce > 1 || sent.length > before; round += 1) {
    before = sent.length
    if (refused.length > 20) atOnce = 1
    const paths = Array.from({ length: atOnce }, (_, number) => `${room}/send/m.room.message/${round}.${number}`)
    const answers = await Promise.all(paths.map((path) => ann.request('PUT', path, { body: BIG })))
    for (const [index, answer] of answers.entries()) {
      if (answer.status === 200) sent.push(answer.body.event_id)
      else {
        assertUnavailable(answer)
        refused.push(paths[index]!)
      }
    }
    await client.sync()
  }
  return { sent, refused }
}

/** Everything that would write much is refused whole. */
async function assertNothingHalfDone(
  server: TestHomeserver,
  {
    ann,
    eve,
    room,
    roomId,
  }: { readonly ann: TestUser; readonly eve: TestUser; readonly room: string; readonly roomId: string },
): Promise<void> {
  const before = await server.parts.db.all(sql`SELECT count(*) AS n, max(position) AS p FROM events`)
  assertUnavailable(await ann.request('PUT', `${room}/state/m.room.topic`, { topic: BIG }))
  assertUnavailable(
    await ann.request('POST', '/createRoom', { name: BIG, room_alias_name: 'tea', visibility: 'public' }),
  )
  assertUnavailable(await eve.request('POST', `${room}/join`, { reason: BIG }))
  assertUnavailable(await ann.request('POST', `${room}/ban`, { user_id: eve.userId, reason: BIG }))
  assert.equal((await ann.request('GET', `/directory/room/${encodeURIComponent('#tea:example.org')}`)).status, 404)
  assert.equal((await ann.request('GET', `${room}/state/m.room.topic/`)).status, 404)
  assert.equal((await ann.request('GET', `${room}/state/m.room.member/${encodeURIComponent(eve.userId)}`)).status, 404)
  assert.equal((await eve.request('GET', `${room}/messages?dir=b`)).status, 403)
  assert.deepEqual(await server.parts.db.all(sql`SELECT count(*) AS n, max(position) AS p FROM events`), before)
  await assertHeadIsStored(server, roomId)
}

// oxlint-disable-next-line typescript/no-explicit-any -- a test looks where it expects something
async function pages(ann: TestUser, room: string): Promise<any[]> {
  const found = []
  let from: string | undefined = 's0'
  while (from !== undefined) {
    const page: { chunk: object[]; end?: string } = await ann.ok('GET', `${room}/messages?dir=f&limit=100&from=${from}`)
    found.push(...page.chunk)
    from = page.end === from ? undefined : page.end
  }
  return found
}
