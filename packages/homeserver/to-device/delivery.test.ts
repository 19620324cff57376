/** A client that follows its tokens has every message once and in order, whatever goes wrong between. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSeededRandom } from '@holdfast/platform/random/seeded-random'
import { startTestHomeserver, type TestHomeserver, type TestUser } from '../testing/homeserver.ts'

const SEEDS = [1, 2, 3, 4]
const STEPS = 120

type World = { readonly server: TestHomeserver; readonly sender: TestUser; readonly receiver: TestUser }
type Follower = { token: string | undefined; readonly received: number[] }

/** One transaction; its answer may be lost, and then the client sends it again. */
async function send({ sender, receiver }: World, n: number, times: number): Promise<void> {
  const messages = { [receiver.userId]: { [n % 3 === 0 ? '*' : receiver.deviceId]: { n } } }
  for (let time = 0; time < times; time += 1) await sender.ok('PUT', `/sendToDevice/my.type/n${n}`, { messages })
}

async function sync({ receiver }: World, follower: Follower, isLost: boolean): Promise<void> {
  const since = follower.token === undefined ? '' : `since=${follower.token}`
  const answer = await receiver.ok('GET', `/sync?${since}&set_presence=offline`)
  if (isLost) return
  follower.token = answer.next_batch
  for (const event of answer.to_device?.events ?? []) follower.received.push(event.content.n)
}

for (const seed of SEEDS) {
  test(`[TDM1] [TDM2] [TDM3] lost answers, repeated requests, bursts and restarts, seed ${seed}`, async () => {
    await using server = await startTestHomeserver()
    const world = { server, sender: await server.user('ann'), receiver: await server.user('bob') }
    const random = createSeededRandom(seed)
    const follower: Follower = { token: undefined, received: [] }
    let sent = 0
    for (let step = 0; step < STEPS; step += 1) {
      const roll = random.integer(100)
      if (roll < 40) await send(world, (sent += 1), 1 + random.integer(2))
      else if (roll < 45) {
        for (let burst = 60 + random.integer(120); burst > 0; burst -= 1) await send(world, (sent += 1), 1)
      } else if (roll < 97) await sync(world, follower, random.integer(3) === 0)
      else await server.restart()
    }
    while (follower.received.length < sent) {
      const before = follower.received.length
      await sync(world, follower, false)
      assert.ok(follower.received.length > before, 'what was sent is not given')
    }
    await sync(world, follower, false)
    assert.deepEqual(
      follower.received,
      Array.from({ length: sent }, (_, n) => n + 1),
    )
  })
}
