import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTestHomeserver } from '../testing/homeserver.ts'

const filterOf = (timeline: object): string =>
  encodeURIComponent(
    JSON.stringify({
      room: { timeline, state: { types: ['org.test'] }, ephemeral: { types: [] } },
      presence: { types: [] },
    }),
  )

test('a timeline that no event can be in is not limited; the state changes all the same, and silence stays silence', async () => {
  await using server = await startTestHomeserver()
  const [ann, bob] = [await server.user('ann'), await server.user('bob')]
  const { room_id: room } = await ann.ok('POST', '/createRoom', { preset: 'public_chat' })
  const filter = filterOf({ types: [] })
  const set = (value: number) => ann.ok('PUT', `/rooms/${room}/state/org.test/`, { value })
  await set(1)
  let answer = await ann.ok('GET', `/sync?filter=${filter}`)
  const next = async () => {
    answer = await ann.ok('GET', `/sync?filter=${filter}&since=${answer.next_batch}`)
    return answer.rooms?.join?.[room]
  }
  assert.deepEqual(answer.rooms.join[room].timeline.events, [])
  assert.equal(answer.rooms.join[room].timeline.limited, false)
  assert.equal(answer.rooms.join[room].state.events[0].content.value, 1)
  await ann.ok('PUT', `/rooms/${room}/send/m.room.message/1`, { body: 'hi' })
  await ann.ok('PUT', `/rooms/${room}/state/m.room.member/${ann.userId}`, { membership: 'join', displayname: 'Ann' })
  assert.equal(await next(), undefined)
  await set(2)
  const changed = await next()
  assert.deepEqual([changed.timeline.limited, changed.state.events[0].content.value], [false, 2])
  await bob.ok('POST', `/join/${encodeURIComponent(room)}`)
  const joined = await next()
  assert.deepEqual([joined.summary['m.joined_member_count'], joined.state.events], [2, []])
})

test('a timeline of which the client wants no event is limited', async () => {
  await using server = await startTestHomeserver()
  const ann = await server.user('ann')
  const { room_id: room } = await ann.ok('POST', '/createRoom', {})
  const { next_batch } = await ann.ok('GET', '/sync')
  await ann.ok('PUT', `/rooms/${room}/send/m.room.message/1`, { body: 'hi' })
  const answer = await ann.ok('GET', `/sync?filter=${filterOf({ limit: 0 })}&since=${next_batch}`)
  assert.deepEqual([answer.rooms.join[room].timeline.limited, answer.rooms.join[room].timeline.events], [true, []])
})
