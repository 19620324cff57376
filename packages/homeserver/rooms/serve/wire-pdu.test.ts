import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { contentHash, eventIdOf, referenceHash } from '@holdfast/protocol/event/hash'
import { parsePdu } from '@holdfast/protocol/event/format'
import { verifyEventSignature } from '@holdfast/protocol/event/sign'
import type { EventId, RoomId } from '@holdfast/protocol/ids/brand'
import { canonicalJson } from '@holdfast/protocol/json/canonical'
import type { JsonObject } from '@holdfast/protocol/json/value'
import { ROOM_VERSIONS, rulesFor } from '@holdfast/protocol/room-version/rules'
import { parseVerifyKey } from '@holdfast/protocol/signing/verify-key'
import { startTestHomeserver, type TestHomeserver, type TestUser } from '../../testing/homeserver.ts'
import type { StoredEvent } from '../event-store.ts'
import { aFarServer, type FarServer } from './testing/far-server.ts'
import { wirePdu } from './wire-pdu.ts'

describe('events as other servers get them', () => {
  let homeserver: TestHomeserver
  let ann: TestUser
  let far: FarServer
  before(async () => {
    homeserver = await startTestHomeserver()
    ann = await homeserver.user('ann')
    far = await aFarServer(homeserver)
  })
  after(() => homeserver[Symbol.asyncDispose]())

  async function aRoom(version: string): Promise<{ room: string; message: string; redacted: string }> {
    const { room_id: room } = await ann.ok('POST', '/createRoom', {
      preset: 'public_chat',
      room_version: version,
      name: 'x',
    })
    await far.member(room, 'bob', 'join')
    const send = async (body: string): Promise<string> =>
      (
        await ann.ok('PUT', `/rooms/${encodeURIComponent(room)}/send/m.room.message/${body}`, {
          body,
          'ü\u{1F600}': [1, null],
        })
      ).event_id
    const redacted = await send('taken-back')
    const message = await send('said')
    await ann.ok('PUT', `/rooms/${encodeURIComponent(room)}/redact/${encodeURIComponent(redacted)}/r`, { reason: 'no' })
    return { room, message, redacted }
  }

  for (const version of ROOM_VERSIONS) {
    it(`room version ${version}: every event is signed, hashed and named as its version wants it`, async () => {
      const rules = rulesFor(version)!
      const { room, message } = await aRoom(version)
      const { signingKey, serverName } = homeserver.parts
      const key = parseVerifyKey(signingKey.publicKey)
      const keyOf = () => key
      const path = `/state/${encodeURIComponent(room)}?event_id=${encodeURIComponent(message)}`
      const { pdus, auth_chain: chain } = await far.ok(path)
      const history = await far.ok(`/backfill/${encodeURIComponent(room)}?v=${encodeURIComponent(message)}&limit=100`)
      for (const pdu of [...pdus, ...chain, ...history.pdus] as JsonObject[]) {
        assert.deepEqual(verifyEventSignature(pdu, rules, { signer: serverName, keyOf }).valid, true)
        const parsed = parsePdu(pdu, rules)
        assert.ok(parsed.ok, JSON.stringify(parsed))
        const stored = await homeserver.parts.events.inRoom(await nidOf(room), parsed.pdu.eventId)
        assert.ok(stored !== undefined, 'the id made of the event is the one it has here')
        assert.equal(stored.pdu.roomId, room)
        if (stored.redactedByNid === undefined) {
          assert.equal((pdu['hashes'] as JsonObject)['sha256'], contentHash(pdu, rules))
          assert.ok(parsed.hashMatches)
        }
        assert.equal('event_id' in pdu, rules.eventId === 'random')
        assert.equal('unsigned' in pdu, false)
      }
    })

    it(`room version ${version}: a redacted event keeps its id and its signature`, async () => {
      const rules = rulesFor(version)!
      const { room, redacted } = await aRoom(version)
      const event = await stored(room, redacted)
      const pdu = JSON.parse(await wirePdu(homeserver.parts, event)) as JsonObject
      assert.deepEqual(pdu['content'], {})
      assert.equal(eventIdOf(pdu, rules), redacted)
      assert.ok(referenceHash(pdu, rules).length > 0)
      assert.deepEqual(Object.keys(pdu['signatures'] as JsonObject), ['example.org'])
    })
  }

  it('the text is canonical JSON, and signed once', async () => {
    const { room, message } = await aRoom('12')
    const event = await stored(room, message)
    const text = await wirePdu(homeserver.parts, event)
    assert.equal(text, canonicalJson(JSON.parse(text)))
    assert.ok(!event.json.includes('"signatures"'), 'it is stored without')
    assert.equal(await wirePdu(homeserver.parts, event), text)
  })

  async function nidOf(room: string): Promise<number> {
    return (await homeserver.parts.heads.roomNid(room as RoomId))!
  }

  async function stored(room: string, eventId: string): Promise<StoredEvent> {
    return (await homeserver.parts.events.inRoom(await nidOf(room), eventId as EventId))!
  }
})
