import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createManualClock } from '../clock/manual-clock.ts'
import { createSystemSource } from './system-source.ts'
import { startNameServer, type Zone } from './testing/name-server.ts'

async function aSource(zone: Zone, hosts = '') {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-dns-'))
  const hostsFile = join(folder, 'hosts')
  await writeFile(hostsFile, hosts)
  const names = await startNameServer(zone)
  const clock = createManualClock()
  const source = createSystemSource({ clock, nameServers: [names.address], hostsFile, systemLookup: false })
  return {
    source,
    clock,
    hostsFile,
    asked: names.asked,
    [Symbol.asyncDispose]: async () => {
      await names[Symbol.asyncDispose]()
      await rm(folder, { recursive: true })
    },
  }
}

test('addresses of both kinds come with the shortest time to live', async () => {
  const zone: Zone = new Map([
    [
      'a.example',
      [
        { type: 'A', value: '192.0.2.1', ttl: 300 },
        { type: 'A', value: '192.0.2.2', ttl: 40 },
        { type: 'AAAA', value: '2001:db8:0:0:0:0:0:1', ttl: 90 },
      ],
    ],
  ])
  await using names = await aSource(zone)
  const answer = await names.source.addresses('a.example')
  assert.deepEqual(answer.records, [
    { address: '2001:db8::1', family: 6 },
    { address: '192.0.2.1', family: 4 },
    { address: '192.0.2.2', family: 4 },
  ])
  assert.equal(answer.ttlMs, 40_000)
})

test('no such name is an answer, a failure of the name servers is none', async () => {
  await using names = await aSource(new Map([['broken.example', 'broken']]))
  assert.deepEqual((await names.source.addresses('nowhere.example')).records, [])
  assert.deepEqual((await names.source.srv('_matrix-fed._tcp.nowhere.example')).records, [])
  await assert.rejects(names.source.addresses('broken.example'), { name: 'LookupFailed' })
  await assert.rejects(names.source.srv('broken.example'), { name: 'LookupFailed' })
})

test('a name server that is silent is given up', { timeout: 30_000 }, async () => {
  await using names = await aSource(new Map([['silent.example', 'silent']]))
  await assert.rejects(names.source.addresses('silent.example'), { name: 'LookupFailed' })
})

test('what cannot be a name has no address', async () => {
  await using names = await aSource(new Map())
  for (const name of ['a..b', '.', `${'a'.repeat(64)}.example`, 'a.'.repeat(200), '-', '1', '127.1'])
    assert.deepEqual((await names.source.addresses(name)).records, [], name)
})

test('services have priority, weight and port, and the root is told as such', async () => {
  const zone: Zone = new Map([
    ['_matrix-fed._tcp.a.example', [{ type: 'SRV', target: 'm.a.example', port: 443, priority: 10, weight: 5 }]],
    ['_matrix-fed._tcp.none.example', [{ type: 'SRV', target: '.', port: 0, priority: 0, weight: 0 }]],
  ])
  await using names = await aSource(zone)
  const { records } = await names.source.srv('_matrix-fed._tcp.a.example')
  assert.deepEqual(records, [{ target: 'm.a.example', port: 443, priority: 10, weight: 5 }])
  const none = await names.source.srv('_matrix-fed._tcp.none.example')
  assert.equal(none.records[0]!.target, '.')
})

test('the hosts file goes before the name servers, and is read again when it changed', async () => {
  await using names = await aSource(new Map(), '# here\n10.0.0.9 m.example M2.example # us\n::1 m.example\nbad line\n')
  assert.deepEqual((await names.source.addresses('M.example')).records, [
    { address: '10.0.0.9', family: 4 },
    { address: '::1', family: 6 },
  ])
  assert.deepEqual((await names.source.addresses('m2.example')).records, [{ address: '10.0.0.9', family: 4 }])
  assert.deepEqual(names.asked, [])
  await writeFile(names.hostsFile, '10.0.0.10 m.example')
  await names.clock.advance(10_000)
  assert.deepEqual((await names.source.addresses('m.example')).records, [{ address: '10.0.0.10', family: 4 }])
})
