import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createManualClock } from '@holdfast/platform/clock/manual-clock'
import { act } from '../../rooms/serve/testing/far-server.ts'
import { publishedKeys } from '../../testing/peer.ts'
import { startFederatedHomeservers } from '../../testing/two-homeservers.ts'
import { until } from '../../testing/until.ts'

const PEER = 'other.example'
const USERS = ['bob', 'eve'].map((name) => `@${name}:${PEER}`)

test('[EDU8] however many updates of device lists come, a user is asked for once in ten seconds', async (t) => {
  const clock = createManualClock({ nowMs: Date.now() })
  const asked: string[] = []
  const elsewhere = (url: string) => {
    const path = decodeURIComponent(url.slice(url.indexOf('/_matrix')))
    if (!url.includes(PEER)) return undefined
    const answer = (body: object) => ({ status: 200, headers: {}, body: Buffer.from(JSON.stringify(body)) })
    if (path.startsWith('/_matrix/key/')) {
      return answer(publishedKeys(PEER, { validUntilTs: clock.nowMs() + 24 * 3_600_000 }))
    }
    if (path.includes('/v1/send/')) return answer({ pdus: {} })
    const [, userId] = /\/user\/devices\/(.*)$/.exec(path) ?? []
    if (userId === undefined) return undefined
    asked.push(userId)
    return answer({ user_id: userId, stream_id: 5, devices: [{ device_id: 'D', keys: {} }] })
  }
  const federation = await startFederatedHomeservers(['a.example'], { clock, elsewhere })
  t.after(() => federation[Symbol.asyncDispose]())
  const [server] = federation.servers
  const ann = await server!.user('ann')
  const { room_id: roomId } = await ann.ok('POST', '/createRoom', { preset: 'public_chat', room_version: '10' })
  for (const userId of USERS) {
    const content = { membership: 'join' }
    await act(server!, roomId, { type: 'm.room.member', stateKey: userId, sender: userId, content })
  }
  const peer = server!.peer(PEER)
  const send = async (txnId: string, users: readonly string[]): Promise<void> => {
    const edus = Array.from({ length: 100 }, (_, index) => ({
      edu_type: 'm.device_list_update',
      content: { user_id: users[index % users.length], device_id: 'D', stream_id: 1_000 + index, prev_id: [index] },
    }))
    await peer.ok('PUT', `/v1/send/${txnId}`, { origin: PEER, origin_server_ts: 1, pdus: [], edus })
  }
  await send('t1', [...USERS, ann.userId, '@x:third.example', `@unknown:${PEER}`])
  await until(() => asked.length === 2, 'both are asked for')
  for (let round = 2; round < 10; round += 1) await send(`t${round}`, USERS)
  assert.deepEqual(asked.toSorted(), USERS)
  await clock.advance(10_001)
  await send('later', USERS)
  await until(() => asked.length === 4, 'both are asked for again')
})
