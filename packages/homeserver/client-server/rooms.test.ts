import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTestHomeserver } from '../testing/homeserver.ts'

test('an event that is not there, or not for the reader, or in a room that is neither, is not found', async () => {
  await using server = await startTestHomeserver()
  const [ann, bob] = [await server.user('ann'), await server.user('bob')]
  const { room_id: room } = await ann.ok('POST', '/createRoom', {})
  const { event_id } = await ann.ok('PUT', `/rooms/${room}/send/m.room.message/1`, { body: 'x' })
  for (const [user, path] of [
    [bob, `/rooms/${room}/event/${event_id}`],
    [bob, `/rooms/!none:example.org/event/${event_id}`],
    [ann, `/rooms/${room}/event/$none`],
  ] as const) {
    const answer = await user.request('GET', path)
    assert.deepEqual([answer.status, answer.body.errcode], [404, 'M_NOT_FOUND'])
  }
})

test('the public rooms are paged through, from no token or from null', async () => {
  await using server = await startTestHomeserver()
  const ann = await server.user('ann')
  for (let index = 0; index < 5; index += 1) await ann.ok('POST', '/createRoom', { visibility: 'public' })
  const seen: string[] = []
  let since: string | null | undefined = null
  while (since !== undefined) {
    const page: { chunk: readonly { room_id: string }[]; next_batch?: string } = await ann.ok('POST', '/publicRooms', {
      limit: 2,
      since,
    })
    seen.push(...page.chunk.map(({ room_id }) => room_id))
    since = page.next_batch
  }
  assert.deepEqual([seen.length, new Set(seen).size], [5, 5])
  assert.equal((await ann.request('POST', '/publicRooms', { since: 5 })).status, 400)
})

test('the members at the beginning of a whole timeline are those who were in the room first', async () => {
  await using server = await startTestHomeserver()
  const [ann, bob] = [await server.user('ann'), await server.user('bob')]
  const { room_id: roomId } = await ann.ok('POST', '/createRoom', { preset: 'public_chat' })
  const { limited, prev_batch } = (await ann.ok('GET', '/sync')).rooms.join[roomId].timeline
  assert.equal(limited, false)
  await bob.ok('POST', `/rooms/${roomId}/join`, {})
  for (const [at, members] of [
    [prev_batch, [ann.userId]],
    [(await ann.ok('GET', '/sync')).next_batch, [ann.userId, bob.userId]],
  ]) {
    const { chunk } = await ann.ok('GET', `/rooms/${roomId}/members?at=${at}`)
    assert.deepEqual(
      chunk.map(({ state_key: key }: { state_key: string }) => key),
      members,
    )
  }
})
