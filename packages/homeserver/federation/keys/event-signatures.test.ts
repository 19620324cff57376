/** Which events are signed as they must be. */
import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import { createManualClock, type ManualClock } from '@holdfast/platform/clock/manual-clock'
import { parsePdu, type ParsedPdu } from '@holdfast/protocol/event/format'
import { signBuiltEvent } from '@holdfast/protocol/event/sign'
import { aRoom } from '@holdfast/protocol/event/testing/a-room'
import type { KeyLifetime } from '@holdfast/protocol/federation/key-validity'
import type { ServerName } from '@holdfast/protocol/ids/brand'
import type { JsonObject } from '@holdfast/protocol/json/value'
import type { SigningKey } from '@holdfast/protocol/signing/signing-key'
import { parseVerifyKey } from '@holdfast/protocol/signing/verify-key'
import { keyOfPeer } from '../../testing/peer.ts'
import { signaturesHold, type EventSignaturesDeps } from './event-signatures.ts'
import type { KeyRequest, KnownKeys } from './server-keys.ts'

let clock: ManualClock
let requests: (readonly KeyRequest[])[]
beforeEach(() => {
  clock = createManualClock()
  requests = []
})

const until = (validUntilTs: number): KeyLifetime => ({ kind: 'current', validUntilTs })

function known(keys: Record<string, readonly (readonly [SigningKey, KeyLifetime])[]>): EventSignaturesDeps {
  const servers = Object.entries(keys).map(([server, ofServer]) => {
    const byId = ofServer.map(
      ([{ keyId, publicKey }, lifetime]) =>
        [keyId, { key: parseVerifyKey(publicKey)!, lifetime, isDirect: true }] as const,
    )
    return [server as ServerName, new Map(byId)] as const
  })
  const answer: KnownKeys = new Map(servers)
  const lookUp = async (asked: readonly KeyRequest[]) => {
    requests.push(asked)
    return answer
  }
  return { clock, serverKeys: { lookUp } }
}

const NEW_ROOM = aRoom({ version: '10' }).join('@bob:b').join('@cat:c')
const OLD_ROOM = aRoom({ version: '4' }).join('@bob:b')
const FOREVER = until(Number.MAX_SAFE_INTEGER)

function message(
  sender: string,
  changes: { key?: SigningKey; more?: JsonObject; room?: typeof NEW_ROOM } = {},
): ParsedPdu {
  const server = sender.split(':')[1] as ServerName
  const { key = keyOfPeer(server), more = {}, room = NEW_ROOM } = changes
  const built = room.build({ sender, type: 'm.room.message', content: { body: 'hi' } })
  const event = JSON.parse(signBuiltEvent(built, server, key)) as JsonObject
  const signatures = { ...(event['signatures'] as JsonObject), ...more }
  const parsed = parsePdu({ ...event, signatures }, room.rules)
  assert.ok(parsed.ok)
  return parsed
}

async function outcomes(
  deps: EventSignaturesDeps,
  events: readonly ParsedPdu[],
  room = NEW_ROOM,
): Promise<readonly string[]> {
  const verdicts = await signaturesHold(deps, { rules: room.rules, events })
  return verdicts.map((verdict) => (verdict.ok ? 'ok' : `${verdict.problem} ${verdict.server}`))
}

describe('the signatures of a batch of events', () => {
  test('are judged one by one, with one question for all keys', async () => {
    const deps = known({ b: [[keyOfPeer('b'), FOREVER]] })
    const events = [
      message('@bob:b'),
      message('@cat:c'),
      message('@bob:b', { key: keyOfPeer('c') }),
      message('@bob:b', { more: { b: {} } }),
      message('@bob:b', { key: keyOfPeer('b', 'zzz') }),
      message('@bob:b'),
    ]
    assert.deepEqual(await outcomes(deps, events), [
      'ok',
      'unknown-key c',
      'bad-signature b',
      'not-signed b',
      'unknown-key b',
      'ok',
    ])
    assert.equal(requests.length, 1)
  })

  test('count only with a key that was good when the event was made', async () => {
    const event = message('@bob:b')
    const { originServerTs: ts } = event.pdu
    const verdict = async (lifetime: KeyLifetime) =>
      (await outcomes(known({ b: [[keyOfPeer('b'), lifetime]] }), [event]))[0]
    assert.equal(await verdict(until(ts)), 'ok')
    assert.equal(await verdict(until(ts - 1)), 'unknown-key b')
    assert.equal(await verdict({ kind: 'old', expiredTs: ts }), 'ok')
    assert.equal(await verdict({ kind: 'old', expiredTs: ts - 1 }), 'unknown-key b')
  })

  test('count in the oldest room versions however old the key is, but not after it was given up', async () => {
    const event = message('@bob:b', { room: OLD_ROOM })
    const { originServerTs: ts } = event.pdu
    const verdict = (lifetime: KeyLifetime) => outcomes(known({ b: [[keyOfPeer('b'), lifetime]] }), [event], OLD_ROOM)
    assert.deepEqual(await verdict(until(0)), ['ok'])
    assert.deepEqual(await verdict({ kind: 'old', expiredTs: ts - 1 }), ['unknown-key b'])
    assert.deepEqual(requests[0]![0]!.validAt, undefined)
  })

  test('by several keys: unknown ones do not count, a wrong one of a known key spoils the event', async () => {
    const second = keyOfPeer('b', 'a_2')
    const both = known({
      b: [
        [keyOfPeer('b'), FOREVER],
        [second, FOREVER],
      ],
    })
    const good = message('@bob:b')
    const mine = (good.signatures as Record<string, Record<string, string>>)['b']!
    const withSecond = (signature: string) => message('@bob:b', { more: { b: { ...mine, [second.keyId]: signature } } })
    assert.deepEqual(await outcomes(both, [withSecond('AAAA')]), ['bad-signature b'])
    assert.deepEqual(await outcomes(known({ b: [[keyOfPeer('b'), FOREVER]] }), [withSecond('AAAA')]), ['ok'])
  })

  test('without number cost no more than a few', async () => {
    const many = Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`ed25519:k${index}`, 'AAAA']))
    const keys = Array.from({ length: 300 }, (_, index) => [keyOfPeer('b', `k${index}`), FOREVER] as const)
    let checks = 0
    const deps: EventSignaturesDeps = {
      ...known({ b: keys }),
      verifySignatures: async (all) => {
        checks += all.length
        return all.map(() => false)
      },
    }
    assert.deepEqual(await outcomes(deps, [message('@bob:b', { more: { b: many } })]), ['bad-signature b'])
    assert.ok(checks <= 16)
  })

  test('are not waited for without end', async () => {
    const lookUp: EventSignaturesDeps['serverKeys']['lookUp'] = (_, options) =>
      new Promise((resolve) => options!.signal!.addEventListener('abort', () => resolve(new Map())))
    const judged = outcomes({ clock, serverKeys: { lookUp } }, [message('@bob:b')])
    await clock.advance(30_000)
    assert.deepEqual(await judged, ['unknown-key b'])
  })

  test('of no events ask for no keys', async () => {
    assert.deepEqual(await outcomes(known({}), []), [])
  })
})
