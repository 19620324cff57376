import assert from 'node:assert/strict'
import test from 'node:test'
import { startFederatedHomeservers } from '../testing/two-homeservers.ts'

test('a page is filled with what other servers have from before this one was in the room', async (t) => {
  const federation = await startFederatedHomeservers(['a.example', 'b.example'])
  t.after(() => federation[Symbol.asyncDispose]())
  const [a, b] = federation.servers
  const [ann, bob] = [await a!.user('ann'), await b!.user('bob')]
  const room = encodeURIComponent((await ann.ok('POST', '/createRoom', { preset: 'public_chat' })).room_id)
  for (let n = 1; n <= 20; n += 1) await ann.ok('PUT', `/rooms/${room}/send/m.room.message/${n}`, { body: `${n}` })
  await bob.ok('POST', `/join/${room}?server_name=a.example`, {})
  const { chunk } = await bob.ok('GET', `/rooms/${room}/messages?dir=b&limit=6`)
  const bodies = chunk.map(({ content }: { content: { body?: string } }) => content.body)
  assert.deepEqual(bodies, [undefined, '20', '19', '18', '17', '16'])
})
