import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createManualClock } from '@holdfast/platform/clock/manual-clock'
import type { ServerName } from '@holdfast/protocol/ids/brand'
import { aFarServer } from '../rooms/serve/testing/far-server.ts'
import { startTestHomeserver } from '../testing/homeserver.ts'
import { until } from '../testing/until.ts'
import { openRequestSlots, type SlotLimits } from './request-slots.ts'

const LIMITS: SlotLimits = {
  perOriginMax: 2,
  totalMax: 4,
  queuedPerOriginMax: 3,
  queuedMax: 5,
  queuedBytesMax: 1_000,
  queuedMsMax: 10_000,
}

/** Work that ends when it is told to. */
function aWorld(changes: Partial<SlotLimits> = {}) {
  const clock = createManualClock()
  const slots = openRequestSlots(clock, { ...LIMITS, ...changes })
  const running: { readonly name: string; end(): void }[] = []
  const refused: string[] = []
  const ask = (name: string, options: { readonly bytes?: number; readonly signal?: AbortSignal } = {}) => {
    const { bytes = 1, signal = new AbortController().signal } = options
    const origin = name.split('/')[0] as ServerName
    const work = () =>
      new Promise<void>((resolve) => {
        const one = { name, end: () => (running.splice(running.indexOf(one), 1), resolve()) }
        running.push(one)
      })
    return slots.run({ origin, bytes, signal }, work).catch((error: { errcode: string; extra: object }) => {
      assert.equal(error.errcode, 'M_LIMIT_EXCEEDED')
      assert.deepEqual(error.extra, { retry_after_ms: 5_000 })
      refused.push(name)
    })
  }
  const names = () => running.map(({ name }) => name)
  const end = async (name: string) => {
    running.find((one) => one.name === name)!.end()
    await settle()
  }
  return { clock, ask, names, end, refused }
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve()
}

test('[SRV3] of one server so many requests are worked on at once, others wait their turn, and more are told to come back', async () => {
  const { ask, names, end, refused } = aWorld()
  for (let index = 1; index <= 6; index += 1) void ask(`a/${index}`)
  await settle()
  assert.deepEqual([names(), refused], [['a/1', 'a/2'], ['a/6']])
  await end('a/1')
  assert.deepEqual(names(), ['a/2', 'a/3'])
})

test('[SRV3] a server that sends many does not hold up another', async () => {
  const { ask, names } = aWorld()
  for (let index = 1; index <= 5; index += 1) void ask(`a/${index}`)
  void ask('b/1')
  await settle()
  assert.deepEqual(names(), ['a/1', 'a/2', 'b/1'])
})

test('[SRV3] when all places are taken, servers get them by turns', async () => {
  const { ask, names, end } = aWorld({ totalMax: 2 })
  for (const name of ['a/1', 'a/2', 'a/3', 'a/4', 'b/1', 'c/1']) void ask(name)
  await settle()
  await end('a/1')
  await end('a/2')
  assert.deepEqual(names(), ['b/1', 'c/1'])
  await end('b/1')
  await end('c/1')
  assert.deepEqual(names(), ['a/3', 'a/4'])
})

test('[SRV3] what waits is bounded over all servers, in number and bytes', async () => {
  const { ask, refused } = aWorld({ totalMax: 1, queuedPerOriginMax: 2 })
  for (const name of ['a/1', 'a/2', 'a/3', 'b/1', 'b/2', 'c/1', 'c/2', 'd/1']) void ask(name)
  await settle()
  assert.deepEqual(refused, ['c/2', 'd/1'])
  const heavy = aWorld({ totalMax: 1 })
  void heavy.ask('a/1', { bytes: 5_000 })
  void heavy.ask('a/2', { bytes: 900 })
  void heavy.ask('b/1', { bytes: 200 })
  await settle()
  assert.deepEqual(heavy.refused, ['b/1'])
})

test('[SRV3] nothing waits for ever, or for a server that has hung up', async () => {
  const { ask, names, end, refused, clock } = aWorld()
  const hangUp = new AbortController()
  for (const name of ['a/1', 'a/2', 'a/3']) void ask(name)
  void ask('a/4', { signal: hangUp.signal })
  await settle()
  hangUp.abort()
  await settle()
  assert.deepEqual(refused, ['a/4'])
  await clock.advance(10_000)
  await settle()
  assert.deepEqual(refused, ['a/4', 'a/3'])
  void ask('a/5')
  await end('a/1')
  await end('a/2')
  assert.deepEqual(names(), ['a/5'])
})

test('[SRV3] work that fails gives its place back', async () => {
  const slots = openRequestSlots(createManualClock(), { ...LIMITS, totalMax: 1, queuedPerOriginMax: 0 })
  const request = { origin: 'a' as ServerName, bytes: 1, signal: new AbortController().signal }
  for (let round = 0; round < 5; round += 1) {
    await assert.rejects(
      slots.run(request, async () => Promise.reject(new Error('x'))),
      /x/,
    )
  }
  assert.equal(await slots.run(request, async () => 1), 1)
})

test('[SRV3] a server that floods us with reads is told to slow down, and another is answered', async () => {
  await using homeserver = await startTestHomeserver()
  const ann = await homeserver.user('ann')
  const roomId = (await ann.ok('POST', '/createRoom', { preset: 'public_chat' })).room_id
  const [far, other] = [await aFarServer(homeserver), await aFarServer(homeserver, 'other.example')]
  await far.member(roomId, 'bob', 'join')
  await other.member(roomId, 'carl', 'join')
  let answered = 0
  const flood = Array.from({ length: 80 }, async () => {
    const answer = await far.get(`/hierarchy/${roomId}`)
    answered += 1
    return answer
  })
  await until(() => answered > 0, 'some are refused or answered')
  assert.equal((await other.get(`/hierarchy/${roomId}`)).status, 200)
  const answers = await Promise.all(flood)
  const refused = answers.filter(({ status }) => status === 429)
  assert.ok(refused.length > 0 && refused.length <= 27, String(refused.length))
  assert.deepEqual(refused[0]!.body.retry_after_ms, 5_000)
  assert.ok(answers.every(({ status }) => status === 200 || status === 429))
})
