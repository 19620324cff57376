/** What a sync takes for known to the client. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { FollowingClient } from '../testing/following-client.ts'
import { startFederatedHomeservers } from '../testing/two-homeservers.ts'

test('[SYNC10] who was not in a room at the token gets it whole, though their join does not follow their leaving', async (t) => {
  const federation = await startFederatedHomeservers(['a.example', 'b.example'])
  t.after(() => federation[Symbol.asyncDispose]())
  const [a, b] = federation.servers
  const [ann, bob] = [await a!.user('ann'), await b!.user('bob')]
  const roomId = (await bob.ok('POST', '/createRoom', { preset: 'public_chat', name: 'Home' })).room_id as string
  const join = `/join/${encodeURIComponent(roomId)}?server_name=b.example`
  await ann.ok('POST', join, {})
  federation.cutOff('b.example', true)
  await ann.ok('POST', `/rooms/${encodeURIComponent(roomId)}/leave`, {})
  const clients = [true, false].map((useStateAfter) => {
    const options = { user: ann, timelineLimit: 10, pageLimit: 10, lazyLoadMembers: false, useStateAfter }
    return new FollowingClient({ ...options, name: JSON.stringify({ useStateAfter }) })
  })
  for (const client of clients) await client.sync()
  federation.cutOff('b.example', false)
  // The server that lets them in may not have heard that they left: then the join follows their first one.
  await ann.ok('POST', join, {})
  const state = await ann.ok('GET', `/rooms/${encodeURIComponent(roomId)}/state`)
  for (const client of clients) {
    await client.sync()
    const told = [...client.rooms.get(roomId)!.state.values()].sort()
    assert.deepEqual(told, state.map(({ event_id: id }: { event_id: string }) => id).sort(), client.options.name)
  }
})
