import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createManualClock } from '@holdfast/platform/clock/manual-clock'
import { createCachingResolver } from '@holdfast/platform/dns/caching-resolver'
import { createTableSource } from '@holdfast/platform/dns/table-source'
import { createSeededRandom } from '@holdfast/platform/random/seeded-random'
import type { ServerName } from '@holdfast/protocol/ids/brand'
import { parseServerName } from '@holdfast/protocol/ids/server-name'
import { openDiscovery } from './discovery.ts'
import { type ScriptedAnswer, scriptedHttp } from '../testing/scripted-http.ts'
import { WELL_KNOWN_CACHE } from './well-known-cache.ts'

const HOUR_MS = 3_600_000

function aWorld() {
  const clock = createManualClock()
  const names = createTableSource()
  const pages = new Map<string, ScriptedAnswer>()
  const http = scriptedHttp(({ url }) => pages.get(url))
  const resolver = createCachingResolver({ source: names, clock })
  const discovery = openDiscovery({ http, resolver, clock, random: createSeededRandom(1) })
  return {
    clock,
    names,
    http,
    wellKnown: (host: string, answer: ScriptedAnswer) => pages.set(`https://${host}/.well-known/matrix/server`, answer),
    page: (url: string, answer: ScriptedAnswer) => pages.set(url, answer),
    service: (name: string, target: string, port = 443) =>
      names.srvTable.set(name, { records: [{ target, port, priority: 10, weight: 0 }] }),
    resolve: (raw: string) => discovery.resolveServer(serverName(raw)),
    doubt: (raw: string) => discovery.doubt(serverName(raw)),
  }
}

function serverName(raw: string): ServerName {
  const parsed = parseServerName(raw)
  assert.ok(parsed, raw)
  return parsed
}

const delegation = (to: string, headers: Record<string, string> = {}): ScriptedAnswer => ({
  body: { 'm.server': to },
  headers,
})

test('an address literal is where it says, on 8448 without a port', async () => {
  const { resolve, http, names } = aWorld()
  const expected: readonly (readonly [string, string, number])[] = [
    ['192.0.2.1', '192.0.2.1', 8448],
    ['192.0.2.1:99', '192.0.2.1', 99],
    ['[2001:db8::1]', '2001:db8::1', 8448],
    ['[2001:db8::1]:99', '2001:db8::1', 99],
  ]
  for (const [name, host, port] of expected) {
    const route = { hostHeader: name, tlsName: host, connectTo: [{ host, port }], via: 'literal' }
    assert.deepEqual(await resolve(name), route, name)
  }
  assert.deepEqual([http.requests, names.asked], [[], []])
})

test('a name with a port is where it says, and nobody is asked', async () => {
  const { resolve, http, names } = aWorld()
  assert.deepEqual(await resolve('a.example:99'), {
    hostHeader: 'a.example:99',
    tlsName: 'a.example',
    connectTo: [{ host: 'a.example', port: 99 }],
    via: 'port',
  })
  assert.deepEqual([http.requests, names.asked], [[], []])
})

test('what cannot be reached under any rule is refused before anything is asked', async () => {
  const { resolve, http, names } = aWorld()
  const impossible = [
    'a.example:0',
    'a.example:65536',
    'a.example:99999',
    '999.0.0.1',
    '01.2.3.4',
    '127.1',
    '0x7f.1',
    '0x7f.0x1',
  ]
  impossible.push(
    '2130706433',
    '1:80',
    'a..example',
    '.',
    '.example',
    `${'a'.repeat(64)}.example`,
    '192.0.2.1:0',
    '[::1]:0',
  )
  for (const name of impossible) await assert.rejects(resolve(name), { failure: 'unreachable' }, name)
  assert.deepEqual([http.requests, names.asked], [[], []])
})

test('a well-known file delegates to a literal, a port, a service, or 8448', async () => {
  const world = aWorld()
  const delegated = async (to: string) => {
    const host = `h${world.http.requests.length}.example`
    world.wellKnown(host, delegation(to))
    const { hostHeader, tlsName, connectTo, via, delegatedTo } = await world.resolve(host)
    assert.equal(delegatedTo, to)
    return [hostHeader, tlsName, connectTo.map(({ host, port }) => `${host} ${port}`).join(), via]
  }
  assert.deepEqual(await delegated('192.0.2.1'), ['192.0.2.1', '192.0.2.1', '192.0.2.1 8448', 'literal'])
  assert.deepEqual(await delegated('[::1]:9'), ['[::1]:9', '::1', '::1 9', 'literal'])
  assert.deepEqual(await delegated('m.example:443'), ['m.example:443', 'm.example', 'm.example 443', 'port'])
  assert.deepEqual(await delegated('m.example'), ['m.example', 'm.example', 'm.example 8448', 'default'])
  world.service('_matrix._tcp.old.example', 'old.host.example', 1)
  assert.deepEqual(await delegated('old.example'), [
    'old.example',
    'old.example',
    'old.host.example 1',
    'deprecated-srv',
  ])
  world.service('_matrix._tcp.new.example', 'old.host.example', 1)
  world.service('_matrix-fed._tcp.new.example', 'new.host.example', 2)
  assert.deepEqual(await delegated('new.example'), ['new.example', 'new.example', 'new.host.example 2', 'srv'])
})

test('a delegation is not followed to a second well-known file', async () => {
  const world = aWorld()
  world.wellKnown('a.example', delegation('b.example'))
  world.wellKnown('b.example', delegation('c.example:1'))
  assert.equal((await world.resolve('a.example')).hostHeader, 'b.example')
})

test('without a well-known file, services of the name itself, then 8448', async () => {
  const world = aWorld()
  assert.deepEqual((await world.resolve('a.example')).connectTo, [{ host: 'a.example', port: 8448 }])
  world.service('_matrix-fed._tcp.b.example', 'm.b.example', 5)
  const route = await world.resolve('b.example')
  assert.deepEqual(route.connectTo, [{ host: 'm.b.example', port: 5 }])
  assert.deepEqual([route.hostHeader, route.tlsName], ['b.example', 'b.example'])
})

test('[FT1] whatever is wrong with a well-known file, the discovery goes on without it', async () => {
  const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`
  const wrong: ScriptedAnswer[] = [
    { status: 404 },
    { status: 204, body: '' },
    { status: 500 },
    { status: 429 },
    { failure: 'timeout' },
    { failure: 'certificate' },
    { failure: 'too-large' },
    { failure: 'address-not-allowed' },
    { failure: 'bad-response' },
    { body: '' },
    { body: 'hello' },
    { body: '"b.example"' },
    { body: '["b.example"]' },
    { body: deep },
    { body: '{"m.server":"b.example","m.server":"c.example"}' },
    { body: {} },
    { status: 302 },
    { status: 302, headers: { location: 'http://c.example/' } },
    { status: 302, headers: { location: 'https://u:p@c.example/' } },
    { status: 302, headers: { location: 'ftp://c.example/' } },
    { status: 302, headers: { location: 'https://[' } },
  ]
  for (const server of [
    '',
    'a b',
    'b.example:0',
    'b.example:99999',
    'b.example:',
    '[::1',
    'a/b',
    'a?b',
    'u@b',
    '127.1',
    '0x7f.1',
    '1.2.3.999',
    'x'.repeat(300),
    7,
    null,
    {},
    ['b.example'],
  ])
    wrong.push({ body: { 'm.server': server } })
  for (const [index, answer] of wrong.entries()) {
    const world = aWorld()
    world.wellKnown('a.example', answer)
    world.service('_matrix-fed._tcp.a.example', 'm.a.example')
    const { connectTo, delegatedTo } = await world.resolve('a.example')
    assert.deepEqual([connectTo, delegatedTo], [[{ host: 'm.a.example', port: 443 }], undefined], String(index))
  }
})

test('the type of a well-known file does not matter', async () => {
  const world = aWorld()
  world.wellKnown('a.example', delegation('b.example:1', { 'content-type': 'application/octet-stream' }))
  assert.equal((await world.resolve('a.example')).delegatedTo, 'b.example:1')
})

test('redirects are followed over https, a few times', async () => {
  const world = aWorld()
  world.wellKnown('a.example', { status: 302, headers: { location: 'https://www.a.example/x?y=1#z' } })
  world.page('https://www.a.example/x?y=1', { status: 307, headers: { location: '../mx' } })
  world.page('https://www.a.example/mx', delegation('b.example:1'))
  assert.equal((await world.resolve('a.example')).delegatedTo, 'b.example:1')
  world.wellKnown('loop.example', { status: 301, headers: { location: '/.well-known/matrix/server' } })
  const before = world.http.requests.length
  assert.equal((await world.resolve('loop.example')).via, 'default')
  assert.equal(world.http.requests.length - before, 6)
})

test('all redirects together have ten seconds', async () => {
  const clock = createManualClock()
  const deadlines: number[] = []
  const http = scriptedHttp(async ({ url, deadlineMs }) => {
    deadlines.push(deadlineMs)
    await clock.advance(4_000)
    return { status: 302, headers: { location: `${url}x` } }
  })
  const resolver = createCachingResolver({ source: createTableSource(), clock })
  const discovery = openDiscovery({ http, resolver, clock, random: createSeededRandom(1) })
  assert.equal((await discovery.resolveServer(serverName('slow.example'))).via, 'default')
  assert.deepEqual(deadlines, [10_000, 6_000, 2_000])
})

test('a delegation lasts as long as its headers say, between minutes and two days', async () => {
  const lasts = async (headers: Record<string, string>) => {
    const world = aWorld()
    world.wellKnown('a.example', delegation('b.example:1', headers))
    let minutes = 0
    for (; world.http.requests.length < 2 && minutes < 5000; minutes += 1) {
      await world.resolve('a.example')
      await world.clock.advance(60_000)
    }
    return minutes / 60
  }
  const between = async (headers: Record<string, string>, { from, to }: { from: number; to: number }) => {
    const hours = await lasts(headers)
    assert.ok(hours >= from && hours <= to + 0.05, `${JSON.stringify(headers)} lasts ${hours} h`)
  }
  await between({}, { from: 19, to: 24 })
  await between({ 'cache-control': 'public, Max-Age=7200' }, { from: 1.6, to: 2 })
  await between({ 'cache-control': 'max-age=7200', age: '3600' }, { from: 0.8, to: 1 })
  await between({ 'cache-control': 'max-age=99999999' }, { from: 38, to: 48 })
  await between({ 'cache-control': 'no-store' }, { from: 0.06, to: 0.09 })
  await between({ 'cache-control': 'max-age=-1' }, { from: 0.06, to: 0.09 })
  await between({ expires: '0' }, { from: 0.06, to: 0.09 })
  await between({ expires: 'Thu, 16 Aug 2018 03:00:00 GMT' }, { from: 2.3, to: 3 })
})

test('[FT2] failures are remembered longer each time, up to an hour', async () => {
  const world = aWorld()
  const asked: number[] = []
  for (let second = 0; second < 6 * 3600; second += 10) {
    await world.resolve('a.example')
    if (world.http.requests.length > asked.length) asked.push(second)
    await world.clock.advance(10_000)
  }
  const pauses = asked.slice(1).map((second, index) => second - asked[index]!)
  assert.ok(pauses[0]! >= 90 && pauses[0]! <= 120, String(pauses))
  assert.ok(pauses.every((pause) => pause <= 3610))
  assert.ok(pauses.at(-1)! >= 2880)
})

test('[FT3] a well-known host that is down takes nothing back for two days; one that says no does', async () => {
  const world = aWorld()
  world.wellKnown('a.example', delegation('b.example:1', { 'cache-control': 'max-age=3600' }))
  await world.resolve('a.example')
  world.wellKnown('a.example', { status: 502 })
  await world.clock.advance(40 * HOUR_MS)
  assert.equal((await world.resolve('a.example')).delegatedTo, 'b.example:1')
  await world.clock.advance(9 * HOUR_MS)
  assert.equal((await world.resolve('a.example')).delegatedTo, undefined)
  world.wellKnown('b.example', delegation('b.example:1', { 'cache-control': 'max-age=3600' }))
  await world.resolve('b.example')
  world.wellKnown('b.example', { status: 404 })
  await world.clock.advance(HOUR_MS)
  assert.equal((await world.resolve('b.example')).delegatedTo, undefined)
})

test('[FT4] a delegation that leads nowhere is asked for again before it expires, every few minutes', async () => {
  const world = aWorld()
  world.wellKnown('a.example', delegation('old.example:1'))
  await world.resolve('a.example')
  world.wellKnown('a.example', delegation('new.example:1'))
  world.doubt('a.example')
  assert.equal((await world.resolve('a.example')).delegatedTo, 'old.example:1')
  await world.clock.advance(WELL_KNOWN_CACHE.doubtMsMin)
  assert.equal((await world.resolve('a.example')).delegatedTo, 'old.example:1')
  world.doubt('a.example')
  assert.equal((await world.resolve('a.example')).delegatedTo, 'new.example:1')
})

test('a domain that says it has no such service has no server', async () => {
  const world = aWorld()
  world.service('_matrix-fed._tcp.a.example', '.', 0)
  await assert.rejects(world.resolve('a.example'), { failure: 'unreachable' })
})

test('services are tried by priority, by chance within one, and only a few of them', async () => {
  const world = aWorld()
  const record = (target: string, priority: number, weight: number) => ({ target, priority, weight, port: 443 })
  world.names.srvTable.set('_matrix-fed._tcp.a.example', {
    records: [
      record('last', 20, 0),
      record('rare', 10, 1),
      record('often.', 10, 99),
      record('never', 10, 0),
      { ...record('bad name', 1, 0) },
      { ...record('zero', 1, 0), port: 0 },
    ],
  })
  const first = new Map<string, number>()
  for (let i = 0; i < 300; i += 1) {
    const hosts = (await world.resolve('a.example')).connectTo.map(({ host }) => host)
    assert.equal(hosts.length, 4)
    assert.equal(hosts.at(-1), 'last')
    first.set(hosts[0]!, (first.get(hosts[0]!) ?? 0) + 1)
  }
  assert.ok(first.get('often')! > 250)
  world.names.srvTable.set('_matrix-fed._tcp.b.example', {
    records: Array.from({ length: 500 }, (_, i) => record(`t${i}`, 1, 1)),
  })
  assert.equal((await world.resolve('b.example')).connectTo.length, 6)
})

test('[FT5] name servers that fail do not cut off a server without services', async () => {
  const world = aWorld()
  world.names.srvTable.set('_matrix-fed._tcp.a.example', 'failure')
  world.names.srvTable.set('_matrix._tcp.a.example', 'failure')
  assert.equal((await world.resolve('a.example')).via, 'default')
})

test('resolutions of one name that come together are one', async () => {
  const world = aWorld()
  world.wellKnown('a.example', delegation('b.example'))
  await Promise.all(Array.from({ length: 100 }, () => world.resolve('a.example')))
  assert.equal(world.http.requests.length, 1)
})
