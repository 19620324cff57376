/** What this server says about keys: its own, and as a notary those of others. */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { createManualClock, type ManualClock } from '@holdfast/platform/clock/manual-clock'
import { parseNotaryAnswer } from '@holdfast/protocol/federation/notary-answer'
import { parseServerKeys } from '@holdfast/protocol/federation/server-keys'
import type { ServerName } from '@holdfast/protocol/ids/brand'
import type { JsonValue } from '@holdfast/protocol/json/value'
import { parseVerifyKey } from '@holdfast/protocol/signing/verify-key'
import { startTestHomeserver, type TestHomeserver } from '../testing/homeserver.ts'
import { keyOfPeer, publishedKeys } from '../testing/peer.ts'

const NOW = 1_800_000_000_000
const DAY_MS = 24 * 3_600_000
const OWN = 'example.org' as ServerName
const A = 'a.example'

let clock: ManualClock
let homeserver: TestHomeserver
beforeEach(async () => {
  clock = createManualClock({ nowMs: NOW })
  homeserver = await startTestHomeserver({ clock })
})
afterEach(() => homeserver[Symbol.asyncDispose]())

const query = (serverKeys: object) =>
  homeserver.request('POST', '/_matrix/key/v2/query', { body: { server_keys: serverKeys } })

/** The servers of an answer, each signed by itself and by us. */
function servers(answer: { readonly body: JsonValue }): readonly string[] {
  const { keyId, publicKey } = homeserver.parts.signingKey
  const keyOf = (id: string) => (id === keyId ? parseVerifyKey(publicKey) : undefined)
  const parsed = parseNotaryAnswer(answer.body, { serverName: OWN, keyOf })
  assert.ok(parsed.ok)
  return parsed.entries.map(({ keys }) => (keys.ok ? keys.serverName : keys.message))
}

describe('the keys of this server', () => {
  test('are signed, good for a day, and the same whichever key is named', async () => {
    for (const path of ['server', 'server/ed25519:a_1', 'server/nonsense']) {
      const body = await homeserver.ok('GET', `/_matrix/key/v2/${path}`)
      const keys = parseServerKeys(body, OWN)
      assert.ok(keys.ok)
      const { keyId, publicKey } = homeserver.parts.signingKey
      assert.equal(keys.verifyKeys.get(keyId)?.publicKey, publicKey)
      assert.deepEqual([keys.validUntilTs, keys.oldVerifyKeys.size], [NOW + DAY_MS, 0])
    }
  })

  test('[KEY5] stay good: the answer is made anew before it runs out', async () => {
    await homeserver.ok('GET', '/_matrix/key/v2/server')
    await clock.advance(DAY_MS / 2 - 1)
    assert.equal((await homeserver.ok('GET', '/_matrix/key/v2/server')).valid_until_ts, NOW + DAY_MS)
    await clock.advance(1)
    assert.equal((await homeserver.ok('GET', '/_matrix/key/v2/server')).valid_until_ts, NOW + 1.5 * DAY_MS)
    clock.setNowMs(NOW)
    assert.equal((await homeserver.ok('GET', '/_matrix/key/v2/server')).valid_until_ts, NOW + DAY_MS)
  })

  test('[KEY6] after a change are the new one, and the old one with its end; both outlive a restart', async () => {
    const old = homeserver.parts.signingKey
    await homeserver.ok('GET', '/_matrix/key/v2/server')
    await clock.advance(5_000)
    const [current, same] = await Promise.all([
      homeserver.parts.signingKeys.rotate(),
      homeserver.parts.signingKeys.rotate(),
    ])
    assert.equal(current, same)
    const { signingKeyAt } = homeserver.parts
    const keyIds = [0, NOW + 5_000, NOW + 5_001].map((timeMs) => signingKeyAt(timeMs).keyId)
    assert.deepEqual(keyIds, [old.keyId, old.keyId, current.keyId])
    const published = await homeserver.ok('GET', '/_matrix/key/v2/server')
    assert.deepEqual(published.verify_keys, { [current.keyId]: { key: current.publicKey } })
    assert.deepEqual(published.old_verify_keys, { [old.keyId]: { key: old.publicKey, expired_ts: NOW + 5_000 } })
    assert.deepEqual(Object.keys(published.signatures[OWN]), [current.keyId])
    await homeserver.restart()
    assert.deepEqual(await homeserver.ok('GET', '/_matrix/key/v2/server'), published)
    assert.equal(homeserver.parts.signingKey.keyId, current.keyId)
  })
})

describe('as a notary this server', () => {
  test('gives the keys of another with both signatures, by either method', async () => {
    homeserver.keyNetwork.publishes(A)
    const posted = await query({ [A]: {} })
    assert.deepEqual(servers(posted), [A])
    const got = await homeserver.request('GET', `/_matrix/key/v2/query/${A}`)
    assert.deepEqual(got.body, posted.body)
    const old = await homeserver.request(
      'GET',
      `/_matrix/key/v2/query/${A}/ed25519:a_1?minimum_valid_until_ts=${NOW + 1}`,
    )
    assert.deepEqual(old.body, posted.body)
    assert.equal(homeserver.keyNetwork.asked.length, 1)
  })

  test('gives its own keys with its one signature, and asks nobody for them', async () => {
    const answer = await query({ [OWN]: { 'ed25519:zzz': { minimum_valid_until_ts: NOW + 900 * DAY_MS } } })
    assert.deepEqual(answer.body.server_keys, [await homeserver.ok('GET', '/_matrix/key/v2/server')])
    assert.deepEqual(homeserver.keyNetwork.asked, [])
  })

  test('leaves out whom it knows nothing of', async () => {
    homeserver.keyNetwork.publishes(A)
    assert.deepEqual(servers(await query({ 'down.example': {}, [A]: { 'ed25519:a_1': {} } })), [A])
    assert.deepEqual((await homeserver.ok('GET', '/_matrix/key/v2/query/down.example')).server_keys, [])
  })

  test('[KEY7] asks again when the keys must be good for longer, and gives what it has when there is nothing better', async () => {
    homeserver.keyNetwork.publishes(A)
    await query({ [A]: {} })
    await clock.advance(DAY_MS / 2)
    const wanted = { [A]: { 'ed25519:a_1': { minimum_valid_until_ts: NOW + DAY_MS + 1 } } }
    const newer = await query(wanted)
    assert.equal(newer.body.server_keys[0].valid_until_ts, NOW + 1.5 * DAY_MS)
    homeserver.keyNetwork.answers(A, new Error('gone'))
    await clock.advance(10 * DAY_MS)
    assert.deepEqual((await query({ [A]: {} })).body, newer.body)
    assert.equal(homeserver.keyNetwork.asked.length, 3)
  })

  test('cannot be made to ask others again and again', async () => {
    for (let index = 0; index < 30; index += 1) {
      await query({ 'down.example': {} })
      await query({ 'down.example': { [`ed25519:${index}`]: { minimum_valid_until_ts: NOW + index } } })
    }
    assert.equal(homeserver.keyNetwork.asked.length, 1)
  })

  test('asks few servers at once, however many it is asked for', async () => {
    let atOnce = 0
    let most = 0
    const names = Array.from({ length: 300 }, (_, index) => `s${index}.example`)
    for (const name of names) {
      homeserver.keyNetwork.answers(name, async () => {
        atOnce += 1
        most = Math.max(most, atOnce)
        await new Promise((resolve) => setImmediate(resolve))
        atOnce -= 1
        return publishedKeys(name, { validUntilTs: NOW + DAY_MS })
      })
    }
    const answer = await query(Object.fromEntries(names.map((name) => [name, {}])))
    assert.ok(most <= 16, `${most} at once`)
    assert.equal(homeserver.keyNetwork.asked.length, 80)
    assert.equal(answer.body.server_keys.length, 80)
  })

  test('refuses what is no question', async () => {
    const many = Object.fromEntries(Array.from({ length: 1_001 }, (_, index) => [`s${index}.example`, {}]))
    const ids = Object.fromEntries(Array.from({ length: 33 }, (_, index) => [`ed25519:${index}`, {}]))
    for (const keys of [many, { 'a b': {} }, { 'a.example/x': {} }, { [A]: ids }, { [A]: { 'no id': {} } }]) {
      const answer = await query(keys)
      assert.deepEqual([answer.status, answer.body.errcode], [400, 'M_INVALID_PARAM'])
    }
    for (const keys of [[], null, { [A]: [] }, { [A]: { 'ed25519:1': 1 } }]) {
      assert.equal((await query(keys as object)).status, 400, JSON.stringify(keys))
    }
    for (const path of ['a%20b', `${A}/no%20id`, `${A}?minimum_valid_until_ts=x`]) {
      assert.equal((await homeserver.request('GET', `/_matrix/key/v2/query/${path}`)).status, 400, path)
    }
    assert.deepEqual(homeserver.keyNetwork.asked, [])
  })

  test('passes on no more than one signature of its own, whatever the answer holds', async () => {
    const forged = publishedKeys(A, { validUntilTs: NOW + DAY_MS })
    const signatures = { ...(forged['signatures'] as object), [OWN]: { 'ed25519:x': 'forged' } }
    homeserver.keyNetwork.answers(A, { ...forged, signatures })
    const { server_keys: keys } = (await query({ [A]: {} })).body
    assert.equal(keys[0].signatures[A][keyOfPeer(A).keyId], (forged['signatures'] as never)[A][keyOfPeer(A).keyId])
    assert.equal(keys[0].server_name, A)
  })
})
