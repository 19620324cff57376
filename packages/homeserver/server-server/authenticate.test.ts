/** Who may claim to be which server. */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { createManualClock, type ManualClock } from '@holdfast/platform/clock/manual-clock'
import type { HttpRequest } from '@holdfast/platform/http/service'
import type { ServerName } from '@holdfast/protocol/ids/brand'
import type { JsonValue } from '@holdfast/protocol/json/value'
import { createSigningKey } from '@holdfast/protocol/signing/signing-key'
import { jsonBody } from '@holdfast/service/http/json-body'
import { startTestHomeserver, type TestHomeserver } from '../testing/homeserver.ts'
import { authorization, keyOfPeer, publishedKeys } from '../testing/peer.ts'
import { authenticate } from './authenticate.ts'

const OTHER = 'other.example'
const TARGET = '/_matrix/federation/v1/send/1?a=%2F%C3%A9'
const CONTENT = { pdus: [], origin: OTHER, nested: [{ b: 1, a: 'é' }] }
const KEY_FETCH = `GET ${OTHER} /_matrix/key/v2/server`
const DAY_MS = 24 * 3_600_000

let clock: ManualClock
let homeserver: TestHomeserver
beforeEach(async () => {
  clock = createManualClock({ nowMs: 1_800_000_000_000 })
  homeserver = await startTestHomeserver({ clock })
  homeserver.keyNetwork.publishes(OTHER)
})
afterEach(() => homeserver[Symbol.asyncDispose]())

type Sent = {
  readonly method?: string
  readonly target?: string
  readonly text?: string | undefined
  readonly header?: string | undefined
}

const signed = (changes: Partial<Parameters<typeof authorization>[0]> = {}) =>
  authorization({
    origin: OTHER,
    destination: 'example.org',
    method: 'PUT',
    target: TARGET,
    content: CONTENT,
    ...changes,
  })

function requestOf(sent: Sent): HttpRequest {
  const { method = 'PUT', target = TARGET, header } = sent
  const text = 'text' in sent ? sent.text : JSON.stringify(CONTENT)
  return {
    id: 'x',
    method,
    target,
    path: target.split('?')[0]!,
    query: target.split('?')[1] ?? '',
    headers: header === undefined ? {} : { authorization: header },
    body: Buffer.from(text ?? ''),
    remoteAddress: '127.0.0.1',
    signal: new AbortController().signal,
  }
}

/** The origin, or the errcode of the refusal. */
async function outcome(sent: Sent): Promise<string> {
  const request = requestOf(sent)
  try {
    return await authenticate(homeserver.parts, request, () => jsonBody(request, { depthMax: Infinity }))
  } catch (error) {
    return (error as { errcode: string }).errcode
  }
}

describe('a request of another server', () => {
  test('is one that its key signed', async () => {
    assert.equal(await outcome({ header: signed() }), OTHER)
    const plain = { method: 'GET', target: '/_matrix/federation/v1/query/profile?user_id=%40a%3Ab' }
    assert.equal(await outcome({ ...plain, text: '', header: signed({ ...plain, content: undefined }) }), OTHER)
    assert.deepEqual(homeserver.keyNetwork.asked, [KEY_FETCH])
  })

  test('may leave out the destination, as servers did before v1.3, but signs it', async () => {
    const header = signed().replace(/destination="[^"]*",/, '')
    assert.equal(await outcome({ header }), OTHER)
    const forAnother = signed({ destination: 'third.example' }).replace(/destination="[^"]*",/, '')
    assert.equal(await outcome({ header: forAnother }), 'M_UNAUTHORIZED')
  })

  test('is refused without a header, with one of another scheme, or with a broken one, and nobody is asked', async () => {
    const broken = [
      undefined,
      '',
      'Bearer x',
      'X-Matrix',
      'X-Matrix origin=other.example',
      `${signed()},origin="evil.example"`,
      signed().replace('X-Matrix', 'X-Matrixx'),
      signed().replace(OTHER, 'other.example/../x'),
      signed().replace('ed25519:a_1', 'a_1'),
    ]
    for (const header of broken) assert.equal(await outcome({ header }), 'M_UNAUTHORIZED', String(header))
    assert.deepEqual(homeserver.keyNetwork.asked, [])
  })

  test('is refused when it is meant for another server, whatever is signed', async () => {
    assert.equal(await outcome({ header: signed({ destination: 'third.example' }) }), 'M_UNAUTHORIZED')
    const relabelled = signed({ destination: 'third.example' }).replace('third.example', 'example.org')
    assert.equal(await outcome({ header: relabelled }), 'M_UNAUTHORIZED')
    const caseless = signed({ destination: 'EXAMPLE.org' })
    assert.equal(await outcome({ header: caseless }), 'M_UNAUTHORIZED')
  })

  test('is refused from this server itself, even with our own key', async () => {
    const header = signed({ origin: 'example.org', key: homeserver.parts.signingKey })
    assert.equal(await outcome({ header }), 'M_UNAUTHORIZED')
    assert.deepEqual(homeserver.keyNetwork.asked, [])
  })

  test('is refused with a signature of another server, of another key, or with another server of the same key id', async () => {
    homeserver.keyNetwork.publishes('evil.example')
    const evil = signed({ origin: 'evil.example' })
    assert.equal(await outcome({ header: evil }), 'evil.example')
    assert.equal(await outcome({ header: evil.replace('evil.example', OTHER) }), 'M_UNAUTHORIZED')
    assert.equal(await outcome({ header: signed({ key: keyOfPeer('evil.example') }) }), 'M_UNAUTHORIZED')
    const sameId = createSigningKey({ keyId: 'ed25519:a_1', seed: new Uint8Array(32) })
    assert.equal(await outcome({ header: signed({ key: sameId }) }), 'M_UNAUTHORIZED')
  })

  test('is refused with another method, target, body, or with none', async () => {
    const header = signed()
    const changed: Sent[] = [
      { method: 'POST' },
      { target: TARGET.replace('send/1', 'send/2') },
      { target: TARGET.replace('%2F', '/') },
      { target: TARGET.replace('%2F', '%2f') },
      { target: TARGET.replace('%C3%A9', '\u00e9') },
      { target: TARGET.split('?')[0]! },
      { target: `${TARGET}&b=1` },
      { target: TARGET.replace('/v1/', '/v1//') },
      { text: '' },
      { text: '{}' },
      { text: JSON.stringify({ ...CONTENT, more: 1 }) },
    ]
    for (const change of changed)
      assert.equal(await outcome({ header, ...change }), 'M_UNAUTHORIZED', JSON.stringify(change))
    const bodyless = signed({ content: undefined })
    assert.equal(await outcome({ header: bodyless }), 'M_UNAUTHORIZED')
    assert.equal(await outcome({ header: bodyless, text: '' }), OTHER)
  })

  test('may spell its body as it likes, but not so that it could be read in two ways', async () => {
    const header = signed()
    const spelt = '{ "nested":[{"b":1,"a":"\\u00e9"}], "origin":"other.example", "pdus":[] }'
    assert.equal(await outcome({ header, text: spelt }), OTHER)
    assert.equal(await outcome({ header, text: spelt.replace('"pdus":[]', '"pdus":[],"pdus":[]') }), 'M_BAD_JSON')
    assert.equal(await outcome({ header, text: spelt.slice(1) }), 'M_NOT_JSON')
  })

  test('[SRV2] may hold numbers that canonical JSON has not, when they are signed as they are spelt', async () => {
    const text = '{"edus":[{"a":1.0,"b":1e+16,"c":0.1}]}'
    const key = keyOfPeer(OTHER)
    const rest = `"destination":"example.org","method":"PUT","origin":"${OTHER}","uri":"${TARGET}"`
    const header = (content: string) =>
      `X-Matrix origin="${OTHER}",destination="example.org",key="${key.keyId}",sig="${key.sign(`{"content":${content},${rest}}`)}"`
    assert.equal(await outcome({ header: header(text), text }), OTHER)
    assert.equal(await outcome({ header: header(text), text: text.replace('1.0', '2.0') }), 'M_UNAUTHORIZED')
    const other = `{"edus":[]},"x":{"y":1}`
    assert.equal(await outcome({ header: header(other), text }), 'M_UNAUTHORIZED')
  })

  test('of any depth is read, and none is too deep for the stack', async () => {
    const content = JSON.parse(`${'['.repeat(5_000)}${']'.repeat(5_000)}`) as JsonValue
    assert.equal(await outcome({ header: signed({ content }), text: JSON.stringify(content) }), OTHER)
  })

  test('can be signed with several keys: unknown ones do not count, a wrong one spoils it', async () => {
    const second = keyOfPeer(OTHER, 'a_2')
    homeserver.keyNetwork.answers(
      OTHER,
      publishedKeys(OTHER, { validUntilTs: clock.nowMs() + DAY_MS, keys: [keyOfPeer(OTHER), second] }),
    )
    const unknown = signed({ key: keyOfPeer(OTHER, 'zzz') })
    assert.equal(await outcome({ header: `${signed()}, ${unknown}` }), OTHER)
    assert.equal(await outcome({ header: `${signed()}, ${signed({ key: second })}` }), OTHER)
    const wrong = signed({ key: second, method: 'GET' })
    assert.equal(await outcome({ header: `${signed()}, ${wrong}` }), 'M_UNAUTHORIZED')
    assert.equal(await outcome({ header: `${signed()}, ${signed({ origin: 'evil.example' })}` }), 'M_UNAUTHORIZED')
  })
})

describe('the key of a request', () => {
  test('is good until its server says, and seven days at most', async () => {
    homeserver.keyNetwork.answers(OTHER, publishedKeys(OTHER, { validUntilTs: clock.nowMs() + 365 * DAY_MS }))
    assert.equal(await outcome({ header: signed() }), OTHER)
    homeserver.keyNetwork.answers(OTHER, new Error('gone'))
    clock.setNowMs(clock.nowMs() + 7 * DAY_MS)
    assert.equal(await outcome({ header: signed() }), OTHER)
    clock.setNowMs(clock.nowMs() + 1)
    assert.equal(await outcome({ header: signed() }), 'M_UNAUTHORIZED')
    assert.deepEqual(homeserver.keyNetwork.asked, [KEY_FETCH, KEY_FETCH])
  })

  test('is refused when the server has given it up, or publishes that it has expired', async () => {
    const old = keyOfPeer(OTHER, 'old')
    const expiredTs = clock.nowMs() - DAY_MS
    homeserver.keyNetwork.answers(
      OTHER,
      publishedKeys(OTHER, { validUntilTs: clock.nowMs() + DAY_MS, old: [{ key: old, expiredTs }] }),
    )
    assert.equal(await outcome({ header: signed({ key: old }) }), 'M_UNAUTHORIZED')
    assert.equal(await outcome({ header: signed() }), OTHER)
    homeserver.keyNetwork.answers('late.example', publishedKeys('late.example', { validUntilTs: clock.nowMs() - 1 }))
    assert.equal(await outcome({ header: signed({ origin: 'late.example' }) }), 'M_UNAUTHORIZED')
  })

  test('is asked for anew when it is a new one, and the one that it replaced is good no longer', async () => {
    assert.equal(await outcome({ header: signed() }), OTHER)
    const next = keyOfPeer(OTHER, 'a_2')
    homeserver.keyNetwork.answers(OTHER, publishedKeys(OTHER, { validUntilTs: clock.nowMs() + DAY_MS, keys: [next] }))
    assert.equal(await outcome({ header: signed({ key: next }) }), OTHER)
    assert.equal(await outcome({ header: signed() }), 'M_UNAUTHORIZED')
  })

  test('[KEY1] is not asked for again and again: neither for forged key ids nor for servers that do not answer', async () => {
    const forged = (index: number) => outcome({ header: signed({ key: keyOfPeer('x', `f${index}`) }) })
    for (let index = 0; index < 50; index += 1) assert.equal(await forged(index), 'M_UNAUTHORIZED')
    const down = { header: signed({ origin: 'down.example' }) }
    for (let index = 0; index < 50; index += 1) assert.equal(await outcome(down), 'M_UNAUTHORIZED')
    assert.deepEqual(homeserver.keyNetwork.asked, [KEY_FETCH, 'GET down.example /_matrix/key/v2/server'])
    homeserver.keyNetwork.publishes('down.example')
    await clock.advance(15_000)
    assert.equal(await outcome(down), 'down.example')
  })

  test('[KEY2] is asked for once by requests that come together, and no host is asked for many at once', async () => {
    const answer = Promise.withResolvers<JsonValue>()
    homeserver.keyNetwork.answers(OTHER, () => answer.promise)
    const together = Array.from({ length: 20 }, () => outcome({ header: signed() }))
    const ports = Array.from({ length: 50 }, (_, port) => `victim.example:${port + 1}`)
    for (const server of ports) homeserver.keyNetwork.answers(server, () => answer.promise)
    const scans = ports.map((origin) => outcome({ header: signed({ origin }) }))
    const { asked } = homeserver.keyNetwork
    while (asked.length < 3) await new Promise((resolve) => setImmediate(resolve))
    await new Promise((resolve) => setTimeout(resolve, 50))
    assert.equal(asked.filter((line) => line === KEY_FETCH).length, 1)
    assert.equal(asked.filter((line) => line.includes('victim.example')).length, 2)
    answer.resolve(publishedKeys(OTHER, { validUntilTs: clock.nowMs() + DAY_MS }))
    assert.deepEqual(new Set(await Promise.all(together)), new Set([OTHER]))
    assert.deepEqual(new Set(await Promise.all(scans)), new Set(['M_UNAUTHORIZED']))
  })

  test('outlives a restart', async () => {
    assert.equal(await outcome({ header: signed() }), OTHER)
    await homeserver.restart()
    homeserver.keyNetwork.answers(OTHER, new Error('gone'))
    assert.equal(await outcome({ header: signed() }), OTHER)
    assert.deepEqual(homeserver.keyNetwork.asked, [KEY_FETCH])
  })
})

test('a server is heard from when it has proven itself, and not before', async () => {
  const heard: string[] = []
  const federation = { destinations: { heardFrom: (server: ServerName) => heard.push(server) } }
  const parts = { ...homeserver.parts, federation }
  await assert.rejects(authenticate(parts, requestOf({ header: signed({ method: 'GET' }) }), () => undefined))
  assert.deepEqual(heard, [])
  const request = requestOf({ header: signed() })
  await authenticate(parts, request, () => jsonBody(request))
  assert.deepEqual(heard, [OTHER])
})

test('[SRV1] a body is not read before there is a key to check it with', async () => {
  let reads = 0
  const read = () => {
    reads += 1
    return undefined
  }
  const header = signed({ origin: 'down.example' })
  await assert.rejects(authenticate(homeserver.parts, requestOf({ header }), read))
  assert.equal(reads, 0)
})
