import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createManualClock } from '../clock/manual-clock.ts'
import { createCachingResolver, DNS_LIMITS } from './caching-resolver.ts'
import { lookupFunction } from './lookup-function.ts'
import { createTableSource } from './table-source.ts'

function aResolver() {
  const clock = createManualClock()
  const source = createTableSource()
  return { clock, source, resolver: createCachingResolver({ source, clock }) }
}

test('an answer is remembered for its time to live, under any case of the name', async () => {
  const { clock, source, resolver } = aResolver()
  source.addressTable.set('a.example', { records: ['192.0.2.1'], ttlMs: 60_000 })
  await resolver.lookupAddresses('A.example')
  await clock.advance(59_999)
  assert.deepEqual(await resolver.lookupAddresses('a.example'), [{ address: '192.0.2.1', family: 4 }])
  assert.deepEqual(source.asked, ['A a.example'])
  await clock.advance(1)
  source.addressTable.set('a.example', { records: ['192.0.2.2'], ttlMs: 60_000 })
  assert.deepEqual(await resolver.lookupAddresses('a.example'), [{ address: '192.0.2.2', family: 4 }])
})

test('a time to live of nothing or of years is brought within bounds', async () => {
  const { clock, source, resolver } = aResolver()
  source.addressTable.set('short.example', { records: ['192.0.2.1'], ttlMs: 0 })
  source.addressTable.set('long.example', { records: ['192.0.2.1'], ttlMs: 1e12 })
  const ask = async () => {
    await resolver.lookupAddresses('short.example')
    await resolver.lookupAddresses('long.example')
    return source.asked.length
  }
  assert.equal(await ask(), 2)
  await clock.advance(DNS_LIMITS.ttlMsMin - 1)
  assert.equal(await ask(), 2)
  await clock.advance(1)
  assert.equal(await ask(), 3)
  await clock.advance(DNS_LIMITS.ttlMsMax)
  assert.equal(await ask(), 5)
})

test('absence and failure are remembered for a short while', async () => {
  const { clock, source, resolver } = aResolver()
  source.srvTable.set('broken.example', 'failure')
  for (let i = 0; i < 3; i += 1) {
    assert.deepEqual(await resolver.lookupSrv('none.example'), [])
    await assert.rejects(resolver.lookupSrv('broken.example'), { name: 'LookupFailed' })
  }
  assert.equal(source.asked.length, 2)
  await clock.advance(DNS_LIMITS.absentMs)
  await resolver.lookupSrv('none.example')
  await assert.rejects(resolver.lookupSrv('broken.example'))
  assert.equal(source.asked.length, 4)
})

test('while the name servers fail, what they said last holds for a day', async () => {
  const { clock, source, resolver } = aResolver()
  source.addressTable.set('a.example', { records: ['192.0.2.1'], ttlMs: 60_000 })
  await resolver.lookupAddresses('a.example')
  source.addressTable.set('a.example', 'failure')
  await clock.advance(3_600_000)
  assert.equal((await resolver.lookupAddresses('a.example')).length, 1)
  await clock.advance(DNS_LIMITS.staleMs + DNS_LIMITS.ttlMsMax)
  await assert.rejects(resolver.lookupAddresses('a.example'), { name: 'LookupFailed' })
})

test('lookups of one name that come together are one', async () => {
  const { source, resolver } = aResolver()
  source.addressTable.set('a.example', { records: ['192.0.2.1'] })
  await Promise.all(Array.from({ length: 50 }, () => resolver.lookupAddresses('a.example')))
  assert.equal(source.asked.length, 1)
})

test('of ten thousand records a few are taken, and services come by priority', async () => {
  const { source, resolver } = aResolver()
  source.addressTable.set('many.example', {
    records: Array.from({ length: 10_000 }, (_, i) => `10.0.${i >> 8}.${i & 255}`),
  })
  assert.equal((await resolver.lookupAddresses('many.example')).length, DNS_LIMITS.recordsMax)
  const record = (priority: number) => ({ target: `t${priority}`, port: 1, priority, weight: 0 })
  source.srvTable.set('s.example', { records: [record(3), record(1), record(2)] })
  assert.deepEqual(
    (await resolver.lookupSrv('s.example')).map(({ target }) => target),
    ['t1', 't2', 't3'],
  )
})

test('sockets look names up in the same resolver', async () => {
  const { source, resolver } = aResolver()
  source.addressTable.set('a.example', { records: ['2001:db8::1', '192.0.2.1'] })
  const lookup = lookupFunction(resolver)
  const ask = (name: string, options: object) =>
    new Promise((resolve) => {
      lookup(name, options, (error, ...found) => resolve(error?.code ?? found))
    })
  assert.deepEqual(await ask('a.example', {}), ['2001:db8::1', 6])
  assert.deepEqual(await ask('a.example', { family: 4 }), ['192.0.2.1', 4])
  assert.deepEqual(await ask('none.example', { all: true }), 'ENOTFOUND')
})
