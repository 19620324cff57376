import assert from 'node:assert/strict'
import test from 'node:test'
import { createManualClock } from '@holdfast/platform/clock/manual-clock'
import type { RoomId } from '@holdfast/protocol/ids/brand'
import { openFetchLanes, SLOW_MS } from './fetch-lanes.ts'

const ROOM = '!room:here' as RoomId
const NEVER = new AbortController().signal

type Begun = {
  readonly names: string[]
  readonly work: (name: string) => () => Promise<string>
  readonly end: (name: string) => void
}

function begun(): Begun {
  const names: string[] = []
  const open = new Map<string, (name: string) => void>()
  const work = (name: string) => (): Promise<string> => {
    names.push(name)
    return new Promise((resolve) => open.set(name, resolve))
  }
  return { names, work, end: (name) => open.get(name)?.(name) }
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve()
}

test('what a room lacks is fetched for one after the other, and each room has its own line', async () => {
  const lanes = openFetchLanes(createManualClock())
  const { names, work, end } = begun()
  const first = lanes.run(ROOM, work('a'), NEVER)
  void lanes.run(ROOM, work('b'), NEVER)
  void lanes.run('!other:here' as RoomId, work('c'), NEVER)
  await settled()
  assert.deepEqual(names, ['a', 'c'])
  end('a')
  assert.equal(await first, 'a')
  await settled()
  assert.deepEqual(names, ['a', 'c', 'b'])
})

test('whoever is slow is not waited for any more, and four at most are at work', async () => {
  const clock = createManualClock()
  const lanes = openFetchLanes(clock)
  const { names, work, end } = begun()
  for (const name of ['a', 'b', 'c', 'd', 'e']) void lanes.run(ROOM, work(name), NEVER)
  await settled()
  assert.deepEqual(names, ['a'])
  await clock.advance(SLOW_MS)
  await settled()
  assert.deepEqual(names, ['a', 'b'])
  // One that ends after it was slow lets nobody go a second time.
  end('a')
  await settled()
  assert.deepEqual(names, ['a', 'b'])
  await clock.advance(3 * SLOW_MS)
  await settled()
  assert.deepEqual(names, ['a', 'b', 'c', 'd', 'e'])
  void lanes.run(ROOM, work('f'), NEVER)
  await clock.advance(5 * SLOW_MS)
  await settled()
  assert.equal(names.length, 5)
  end('c')
  await settled()
  assert.deepEqual(names.slice(5), ['f'])
})

test('who gives up before the turn does nothing, and holds nobody up', async () => {
  const lanes = openFetchLanes(createManualClock())
  const { names, work, end } = begun()
  const impatient = new AbortController()
  void lanes.run(ROOM, work('a'), NEVER)
  const given = lanes.run(ROOM, work('b'), impatient.signal)
  void lanes.run(ROOM, work('c'), NEVER)
  impatient.abort()
  assert.equal(await given, undefined)
  end('a')
  await settled()
  assert.deepEqual(names, ['a', 'c'])
})
