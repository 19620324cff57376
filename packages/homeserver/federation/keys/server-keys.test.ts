/** Which keys are believed to be whose, and until when. */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { createManualClock, type ManualClock } from '@holdfast/platform/clock/manual-clock'
import type { ServerName } from '@holdfast/protocol/ids/brand'
import type { JsonObject } from '@holdfast/protocol/json/value'
import { createSigningKey } from '@holdfast/protocol/signing/signing-key'
import { signJson } from '@holdfast/protocol/signing/sign-json'
import { startTestHomeserver, type TestHomeserver } from '../../testing/homeserver.ts'
import { keyOfPeer, openKeyNetwork, publishedKeys, type KeyNetwork } from '../../testing/peer.ts'
import { openServerKeys, type ServerKeys } from './server-keys.ts'

const NOW = 1_800_000_000_000
const DAY_MS = 24 * 3_600_000
const A = 'a.example' as ServerName
const B = 'b.example' as ServerName
const NOTARY = 'notary.example' as ServerName
const KEY_ID = 'ed25519:a_1'

let clock: ManualClock
let network: KeyNetwork
let homeserver: TestHomeserver
let serverKeys: ServerKeys
beforeEach(async () => {
  clock = createManualClock({ nowMs: NOW })
  network = openKeyNetwork(clock)
  homeserver = await startTestHomeserver({ clock })
  serverKeys = opened()
})
afterEach(() => homeserver[Symbol.asyncDispose]())

/** With an empty memory. */
function opened(notaries: readonly ServerName[] = []): ServerKeys {
  return openServerKeys({ ...homeserver.parts, fetcher: network, notaries })
}

const request = (server: ServerName, validAt: number | undefined = NOW, keyIds: readonly string[] = [KEY_ID]) => ({
  server,
  keyIds,
  validAt,
})

/** Public keys, as `server keyId` → key. */
async function found(
  keys: ServerKeys,
  ...requests: Parameters<ServerKeys['find']>[0]
): Promise<Record<string, string>> {
  const all = await keys.find(requests)
  return Object.fromEntries(
    [...all].flatMap(([server, ofServer]) => [...ofServer].map(([id, key]) => [`${server} ${id}`, key.publicKey])),
  )
}

const publicKey = (server: string, version?: string) => keyOfPeer(server, version).publicKey

describe('the keys of servers', () => {
  test('are asked for together, kept apart though their ids are the same, and not asked for again', async () => {
    network.publishes(A)
    network.publishes(B)
    const expected = { [`${A} ${KEY_ID}`]: publicKey(A), [`${B} ${KEY_ID}`]: publicKey(B) }
    assert.deepEqual(await found(serverKeys, request(A), request(B), request(A, NOW - 1)), expected)
    assert.deepEqual(await found(serverKeys, request(A), request(B)), expected)
    assert.deepEqual(await found(opened(), request(A), request(B)), expected)
    assert.equal(network.asked.length, 2)
  })

  test('of this server are known without asking anybody, old ones too', async () => {
    const { signingKeys, serverName } = homeserver.parts
    const old = signingKeys.current()
    await clock.advance(1000)
    const current = await signingKeys.rotate()
    const keyIds = [old.keyId, current.keyId]
    const then = await found(serverKeys, request(serverName, NOW + 1000, keyIds))
    assert.deepEqual(Object.values(then), [current.publicKey, old.publicKey])
    const later = await found(serverKeys, request(serverName, NOW + 1001, keyIds))
    assert.deepEqual(Object.values(later), [current.publicKey])
    assert.deepEqual(network.asked, [])
  })

  test('that nobody tells are absent, and harm no others', async () => {
    network.publishes(B)
    const before = await found(serverKeys, request(A), request(B), request(B, NOW, ['ed25519:zzz']))
    assert.deepEqual(before, { [`${B} ${KEY_ID}`]: publicKey(B) })
  })

  test('are not taken from an answer of another server, without its signature, or that is no answer', async () => {
    const good = publishedKeys(A, { validUntilTs: NOW + DAY_MS })
    const forged = createSigningKey({ keyId: KEY_ID, seed: new Uint8Array(32) })
    const answers = [
      publishedKeys(B, { validUntilTs: NOW + DAY_MS }),
      { ...good, server_name: B },
      { ...good, valid_until_ts: NOW + 2 * DAY_MS },
      { ...good, signatures: {} },
      { ...good, signatures: { [B]: { [KEY_ID]: 'x' } } },
      { ...good, verify_keys: { [KEY_ID]: { key: forged.publicKey } } },
      null,
      [],
      { server_keys: [good] },
      new Error('oversized'),
    ]
    for (const answer of answers) {
      network.answers(A, answer)
      assert.deepEqual(await found(serverKeys, request(A)), {}, JSON.stringify(answer))
      await clock.advance(10 * 60_000)
    }
    network.answers(A, good)
    assert.deepEqual(await found(serverKeys, request(A)), { [`${A} ${KEY_ID}`]: publicKey(A) })
  })

  test('are good for seven days at most, whatever the server says, and are asked for again after that', async () => {
    network.answers(A, publishedKeys(A, { validUntilTs: NOW + 10_000 * DAY_MS }))
    assert.deepEqual(Object.keys(await found(serverKeys, request(A, NOW + 7 * DAY_MS))).length, 1)
    assert.deepEqual(await found(serverKeys, request(A, NOW + 8 * DAY_MS)), {})
    assert.equal(network.asked.length, 2)
    await clock.advance(2 * DAY_MS)
    assert.deepEqual(Object.keys(await found(serverKeys, request(A, NOW + 8 * DAY_MS))).length, 1)
    assert.equal(network.asked.length, 3)
  })

  test('that were given up are good for what is older', async () => {
    const old = keyOfPeer(A, 'old')
    const expiredTs = NOW - DAY_MS
    network.answers(A, publishedKeys(A, { validUntilTs: NOW + DAY_MS, old: [{ key: old, expiredTs }] }))
    assert.deepEqual(Object.keys(await found(serverKeys, request(A, expiredTs, [old.keyId]))).length, 1)
    assert.deepEqual(
      Object.keys(await found(serverKeys, { ...request(A, NOW, [old.keyId]), validAt: undefined })).length,
      1,
    )
    assert.deepEqual(await found(serverKeys, request(A, expiredTs + 1, [old.keyId])), {})
    assert.equal(network.asked.length, 1)
  })

  test('[KEY3] that are not published any more still prove what is older, and a new key of the same id takes its place', async () => {
    network.publishes(A)
    await found(serverKeys, request(A))
    await clock.advance(60_000)
    network.answers(A, publishedKeys(A, { validUntilTs: NOW + DAY_MS, keys: [keyOfPeer(A, 'a_2')] }))
    await found(serverKeys, request(A, NOW, ['ed25519:a_2']))
    for (const keys of [serverKeys, opened()]) {
      assert.deepEqual(await found(keys, request(A, NOW)), { [`${A} ${KEY_ID}`]: publicKey(A) })
      assert.deepEqual(await found(keys, request(A, NOW + 60_000)), {})
    }
    const changed = createSigningKey({ keyId: KEY_ID, seed: new Uint8Array(32).fill(7) })
    network.answers(A, publishedKeys(A, { validUntilTs: NOW + DAY_MS, keys: [changed] }))
    await clock.advance(10 * 60_000)
    assert.deepEqual(await found(serverKeys, request(A, NOW + 660_000)), { [`${A} ${KEY_ID}`]: changed.publicKey })
  })

  test('are answered as far as they are known when the wait is cut short', async () => {
    network.publishes(B)
    await found(serverKeys, request(B))
    network.answers(A, () => new Promise(() => {}))
    const stop = new AbortController()
    const waiting = serverKeys.find([request(A), request(B)], { signal: stop.signal })
    stop.abort()
    assert.deepEqual(
      [...(await waiting)].map(([server, keys]) => [server, keys.size]),
      [
        [A, 0],
        [B, 1],
      ],
    )
    const late = serverKeys.find([request(A)], { signal: AbortSignal.abort() })
    assert.equal((await late).get(A)?.size, 0)
  })

  test('with names that mean something to objects are like any other', async () => {
    const keyIds = ['ed25519:__proto__', 'ed25519:constructor']
    network.publishes(A)
    assert.deepEqual(await found(serverKeys, request(A, NOW, ['__proto__', 'constructor', ...keyIds])), {})
  })
})

describe('a notary', () => {
  const notaryKey = keyOfPeer(NOTARY)
  const signedBy = (keys: JsonObject, key = notaryKey, signer: string = NOTARY) => signJson(keys, { signer, key })
  const ofA = () => publishedKeys(A, { validUntilTs: clock.nowMs() + DAY_MS })
  let entries: readonly unknown[] = []
  let queries: JsonObject[] = []

  beforeEach(() => {
    queries = []
    serverKeys = opened([NOTARY])
    network.answers(NOTARY, (body) => {
      if (body === undefined) return publishedKeys(NOTARY, { validUntilTs: clock.nowMs() + DAY_MS })
      queries.push(body)
      return { server_keys: entries } as unknown as JsonObject
    })
  })

  test('is asked for all servers at once that do not answer, and believed about what they signed', async () => {
    entries = [signedBy(ofA())]
    network.publishes(B)
    const keys = await found(serverKeys, request(A), request(B), request('gone.example' as ServerName))
    assert.deepEqual(keys, { [`${A} ${KEY_ID}`]: publicKey(A), [`${B} ${KEY_ID}`]: publicKey(B) })
    const criteria = { [KEY_ID]: { minimum_valid_until_ts: NOW } }
    assert.deepEqual(queries, [{ server_keys: { [A]: criteria, 'gone.example': criteria } }])
  })

  test('is asked no oftener than the servers themselves', async () => {
    entries = []
    for (let index = 0; index < 20; index += 1) await found(serverKeys, request(A))
    assert.equal(queries.length, 1)
  })

  test('is not believed when it has not signed, when the server has not, or about what it was not asked for', async () => {
    const good = ofA()
    const lies = [
      good,
      signedBy(good, keyOfPeer('evil.example')),
      signedBy(good, notaryKey, 'evil.example'),
      signedBy({ ...good, signatures: {} }),
      signedBy({ ...good, verify_keys: { [KEY_ID]: { key: notaryKey.publicKey } } }),
      signedBy(publishedKeys(B, { validUntilTs: NOW + DAY_MS })),
      signedBy(publishedKeys('example.org', { validUntilTs: NOW + DAY_MS })),
      null,
      'x',
    ]
    for (const lie of lies) {
      entries = [lie]
      assert.deepEqual(await found(serverKeys, request(A)), {}, JSON.stringify(lie))
      await clock.advance(10 * 60_000)
    }
    entries = [...lies, signedBy(ofA())]
    assert.deepEqual(await found(serverKeys, request(A)), { [`${A} ${KEY_ID}`]: publicKey(A) })
    network.answers(B, new Error('gone'))
    assert.deepEqual((await homeserver.parts.serverKeys.lookUp([request(B)])).get(B)?.size, 0)
  })

  test('[D7] says no more of one server than the server itself could, though it is asked about several', async () => {
    const { signatures: _signatures, ...unsigned } = ofA()
    const large = { ...unsigned, 'org.example.padding': 'x'.repeat(51_200) }
    const signed = signJson(large, { signer: A, key: keyOfPeer(A) })
    const ofB = publishedKeys(B, { validUntilTs: NOW + DAY_MS })
    network.answers(B, new Error('gone'))
    entries = [signedBy(signed), signedBy(ofB)]
    assert.deepEqual(await found(serverKeys, request(A), request(B)), { [`${B} ${KEY_ID}`]: publicKey(B) })
  })

  test('[KEY4] cannot change what a server said of itself', async () => {
    network.publishes(A)
    await found(serverKeys, request(A))
    network.answers(A, new Error('gone'))
    const other = createSigningKey({ keyId: KEY_ID, seed: new Uint8Array(32).fill(9) })
    const second = keyOfPeer(A, 'a_2')
    entries = [
      signedBy(publishedKeys(A, { validUntilTs: NOW + 3 * DAY_MS, keys: [other, second] })),
      signedBy(publishedKeys(A, { validUntilTs: NOW, keys: [second], old: [{ key: keyOfPeer(A), expiredTs: 0 }] })),
    ]
    assert.deepEqual(await found(serverKeys, request(A, NOW, ['ed25519:a_2'])), {
      [`${A} ed25519:a_2`]: second.publicKey,
    })
    for (const keys of [serverKeys, opened()]) {
      assert.deepEqual(await found(keys, request(A, NOW)), { [`${A} ${KEY_ID}`]: publicKey(A) })
    }
    assert.equal((await serverKeys.forRequest(A, [KEY_ID])).get(KEY_ID)?.publicKey, publicKey(A))
  })

  test('that fails leaves the question to the next', async () => {
    const next = 'next.example' as ServerName
    network.answers(next, (body) =>
      body === undefined
        ? publishedKeys(next, { validUntilTs: NOW + DAY_MS })
        : { server_keys: [signedBy(ofA(), keyOfPeer(next), next)] },
    )
    const lying = { server_keys: 'nothing' }
    network.answers(NOTARY, (body) =>
      body === undefined ? publishedKeys(NOTARY, { validUntilTs: NOW + DAY_MS }) : lying,
    )
    const keys = opened([NOTARY, 'down.example' as ServerName, next])
    assert.deepEqual(await found(keys, request(A)), { [`${A} ${KEY_ID}`]: publicKey(A) })
  })
})
