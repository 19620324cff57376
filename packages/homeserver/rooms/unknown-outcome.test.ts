/** A connection to the database that is lost during a commit, after it was applied. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CommitOutcomeUnknown, type Database } from '@holdfast/platform/database/database'
import { loadMigrations } from '@holdfast/platform/database/migrations'
import { openSqlite } from '@holdfast/platform/database/sqlite/open'
import { MIGRATIONS_FOLDER } from '../open-homeserver.ts'
import { FollowingClient } from '../testing/following-client.ts'
import { startTestHomeserver } from '../testing/homeserver.ts'

/** A sync must be woken: one that is answered at the end of its time fails the test. */
const LONGER_THAN_THE_TEST_MS = 80_000

/** A database that applies the next list with positions and says that it does not know. */
async function openForgetful(folder: string): Promise<{ readonly db: Database; forgetNext(): void }> {
  const migrations = await loadMigrations(MIGRATIONS_FOLDER)
  const db = await openSqlite({ folder, migrations, writer: 'inline', checkpoints: 'inline', readerThreads: 0 })
  let forgets = false
  const commit: Database['commit'] = async (statements, options) => {
    const committed = await db.commit(statements, options)
    if (!forgets || options?.positions === undefined) return committed
    forgets = false
    throw new CommitOutcomeUnknown('the connection was lost')
  }
  const forgetful = new Proxy(db, { get: (target, name) => (name === 'commit' ? commit : Reflect.get(target, name)) })
  return { db: forgetful, forgetNext: () => void (forgets = true) }
}

test(
  '[ROOM31] what was committed without an answer is seen once by everybody, and sending it again finds it',
  { timeout: 60_000 },
  async () => {
    let forgetNext = (): void => {}
    await using server = await startTestHomeserver({
      settings: { presence: false },
      openDatabase: async (folder) => {
        const opened = await openForgetful(folder)
        forgetNext = () => opened.forgetNext()
        return opened.db
      },
    })
    const ann = await server.user('ann')
    const bob = await server.user('bob')
    const { room_id: roomId } = await ann.ok('POST', '/createRoom', { preset: 'public_chat' })
    const room = `/rooms/${encodeURIComponent(roomId)}`
    await bob.ok('POST', `${room}/join`, {})
    const limits = { timelineLimit: 50, pageLimit: 20, lazyLoadMembers: false, useStateAfter: false }
    const client = new FollowingClient({ name: 'bob', user: bob, ...limits })
    await client.sync()

    forgetNext()
    assert.equal((await ann.request('PUT', `${room}/send/m.room.message/1`, { body: 'secret' })).status, 503)
    const { event_id: message } = await ann.ok('PUT', `${room}/send/m.room.message/1`, { body: 'secret' })
    await client.sync({ timeoutMs: LONGER_THAN_THE_TEST_MS })
    const seen = (): readonly string[] => client.rooms.get(roomId)!.events.map(({ event_id }) => event_id)
    assert.equal(seen().filter((eventId) => eventId === message).length, 1)

    forgetNext()
    assert.equal((await ann.request('PUT', `${room}/redact/${encodeURIComponent(message)}/2`, {})).status, 503)
    assert.deepEqual((await bob.ok('GET', `${room}/event/${encodeURIComponent(message)}`)).content, {})

    forgetNext()
    assert.equal((await bob.request('POST', `${room}/leave`, {})).status, 503)
    assert.equal((await bob.request('PUT', `${room}/send/m.room.message/3`, {})).status, 403)
    while (client.rooms.get(roomId)!.isJoined) await client.sync({ timeoutMs: LONGER_THAN_THE_TEST_MS })
    assert.equal(new Set(seen()).size, seen().length)
    const { chunk } = await ann.ok('GET', `${room}/messages?dir=b&limit=100`)
    assert.deepEqual(seen(), chunk.map(({ event_id }: { event_id: string }) => event_id).toReversed())
  },
)
