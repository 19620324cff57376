import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createManualClock } from '@holdfast/platform/clock/manual-clock'
import type { Database } from '@holdfast/platform/database/database'
import { createSilentLog } from '@holdfast/platform/log/silent-log'
import { createSeededRandom } from '@holdfast/platform/random/seeded-random'
import type { ServerName } from '@holdfast/protocol/ids/brand'
import { testDatabase } from '../../testing/database.ts'
import { BACKOFF } from './backoff.ts'
import { DESTINATION_LIMITS, type Destinations, openDestinations } from './destinations.ts'

const A = 'a.example' as ServerName
const B = 'b.example' as ServerName
const HOUR_MS = 3_600_000

async function aWorld() {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-destinations-'))
  const database = await testDatabase(folder)
  const clock = createManualClock()
  let db: Database = await database.open()
  const open = (): Destinations =>
    openDestinations({ db, clock, random: createSeededRandom(1), log: createSilentLog() })
  return {
    clock,
    open,
    reopen: async (before: Destinations) => {
      await before.settled()
      await db[Symbol.asyncDispose]()
      db = await database.open()
      return open()
    },
    [Symbol.asyncDispose]: async () => {
      await db[Symbol.asyncDispose]()
      await database[Symbol.asyncDispose]()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function isFree(destinations: Destinations, server: ServerName): Promise<boolean> {
  const admission = await destinations.admit(server, false)
  if (admission.kind === 'go') admission.done()
  return admission.kind === 'go'
}

test('a server has one integer id, whoever asks and however often', async () => {
  await using world = await aWorld()
  const destinations = world.open()
  const nids = await Promise.all([destinations.nidOf(A), destinations.nidOf(A), destinations.nidOf(B)])
  assert.equal(nids[0], nids[1])
  assert.notEqual(nids[0], nids[2])
  assert.equal(await (await world.reopen(destinations)).nidOf(A), nids[0])
})

test('[FT10] pauses double from a second to a day, with jitter, and a success ends them', async () => {
  await using world = await aWorld()
  const destinations = world.open()
  const pauses: number[] = []
  for (let i = 0; i < 22; i += 1) {
    destinations.failed(A, { message: 'no' })
    const state = await destinations.state(A)
    assert.ok(state.kind !== 'up')
    const pauseMs = state.retryAtMs - world.clock.nowMs()
    const fullMs = Math.min(BACKOFF.firstMs * 2 ** i, BACKOFF.lastMs)
    assert.ok(pauseMs >= fullMs / 2 && pauseMs <= fullMs, `${i}: ${pauseMs}`)
    assert.equal(state.kind, fullMs === BACKOFF.lastMs ? 'dormant' : 'backing-off')
    pauses.push(pauseMs)
    assert.equal(await isFree(destinations, A), false)
    await world.clock.advance(pauseMs)
    assert.equal(await isFree(destinations, A), true)
  }
  assert.ok(new Set(pauses.slice(-5)).size > 1)
  destinations.succeeded(A)
  assert.equal((await destinations.state(A)).kind, 'up')
})

test('many requests that fail together are one failure, and urgent ones do not lengthen a pause', async () => {
  await using world = await aWorld()
  const destinations = world.open()
  for (let i = 0; i < 100; i += 1) destinations.failed(A, { message: 'no' })
  const state = await destinations.state(A)
  assert.ok(state.kind !== 'up' && state.intervalMs === BACKOFF.firstMs)
  assert.equal((await destinations.admit(A, true)).kind, 'go')
})

test('a server may ask for more patience, but not for days', async () => {
  await using world = await aWorld()
  const destinations = world.open()
  const pauseAfter = async (server: ServerName, retryAfterMs: number) => {
    destinations.failed(server, { message: 'busy', retryAfterMs })
    const state = await destinations.state(server)
    return state.kind === 'up' ? 0 : state.retryAtMs - world.clock.nowMs()
  }
  assert.equal(await pauseAfter(A, 60_000), 60_000)
  assert.equal(await pauseAfter(B, 1e12), HOUR_MS)
})

test('[FT11] what fails is remembered across a restart, for servers that something is queued for', async () => {
  await using world = await aWorld()
  const before = world.open()
  await before.nidOf(A)
  for (const server of [A, B]) before.failed(server, { message: 'no\0pe', retryAfterMs: 600_000 })
  const after = await world.reopen(before)
  const state = await after.state(A)
  assert.ok(state.kind === 'backing-off' && state.lastError === 'no\0pe')
  assert.equal(await isFree(after, A), false)
  assert.equal(await isFree(after, B), true)
})

test('[FT12] a server that is heard from is tried at once, and listeners hear of it', async () => {
  await using world = await aWorld()
  const destinations = world.open()
  const awake: string[] = []
  using listening = destinations.onAwake((server) => void awake.push(server))
  await destinations.nidOf(A)
  destinations.heardFrom(A)
  for (let i = 0; i < 15; i += 1) {
    destinations.failed(A, { message: 'no' })
    await world.clock.advance(HOUR_MS * 24)
  }
  destinations.failed(A, { message: 'no' })
  destinations.heardFrom(A)
  assert.deepEqual(awake, [A])
  assert.equal(await isFree(destinations, A), true)
  destinations.failed(A, { message: 'no' })
  const state = await destinations.state(A)
  assert.ok(state.kind !== 'up' && state.intervalMs === BACKOFF.firstMs)
  destinations.succeeded(A)
  destinations.succeeded(A)
  assert.deepEqual(awake, [A, A])
  listening[Symbol.dispose]()
  destinations.failed(A, { message: 'no' })
  destinations.succeeded(A)
  assert.equal(awake.length, 2)
})

test('[FT12] a server that talks and cannot be reached does not make us try for each of its requests', async () => {
  await using world = await aWorld()
  const destinations = world.open()
  let awake = 0
  destinations.onAwake(() => (awake += 1))
  await destinations.state(A)
  for (let second = 0; second < 120; second += 1) {
    destinations.failed(A, { message: 'no' })
    for (let i = 0; i < 10; i += 1) destinations.heardFrom(A)
    await world.clock.advance(1000)
  }
  assert.equal(awake, (120 * 1000) / DESTINATION_LIMITS.heardEveryMs)
})

test('[FT13] a server that fails is tried by one request at a time, and few such servers at once', async () => {
  await using world = await aWorld()
  const destinations = world.open()
  const servers = Array.from({ length: 200 }, (_, i) => `s${i}.example` as ServerName)
  for (const server of servers) {
    await destinations.state(server)
    destinations.failed(server, { message: 'no' })
  }
  await world.clock.advance(BACKOFF.firstMs)
  const admissions = await Promise.all(servers.map((server) => destinations.admit(server, false)))
  const going = admissions.filter((one) => one.kind === 'go')
  assert.equal(going.length, DESTINATION_LIMITS.probesMax)
  assert.equal((await destinations.admit(servers[0]!, false)).kind, 'wait')
  for (const one of going) one.done()
  assert.equal((await destinations.admit(servers[0]!, false)).kind, 'go')
})

test('a wall clock that was set back silences no server', async () => {
  await using world = await aWorld()
  const destinations = world.open()
  destinations.failed(A, { message: 'no', retryAfterMs: HOUR_MS })
  await destinations.state(A)
  world.clock.setNowMs(world.clock.nowMs() - 1000 * HOUR_MS)
  assert.equal(await isFree(destinations, A), true)
})

test('words of other servers are kept, but few of them', async () => {
  await using world = await aWorld()
  const destinations = world.open()
  destinations.failed(A, { message: 'x'.repeat(100_000) })
  const state = await destinations.state(A)
  assert.ok(state.kind !== 'up' && state.lastError.length <= 300)
})
