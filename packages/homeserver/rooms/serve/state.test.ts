import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { parsePdu } from '@holdfast/protocol/event/format'
import type { JsonObject } from '@holdfast/protocol/json/value'
import { rulesFor } from '@holdfast/protocol/room-version/rules'
import { startTestHomeserver, type TestHomeserver, type TestUser } from '../../testing/homeserver.ts'
import { aFarServer, type FarServer } from './testing/far-server.ts'

type Pdu = JsonObject & { readonly type: string; readonly state_key: string; readonly auth_events: readonly string[] }

describe('states over federation', () => {
  let homeserver: TestHomeserver
  let ann: TestUser
  let far: FarServer
  before(async () => {
    homeserver = await startTestHomeserver()
    ann = await homeserver.user('ann')
    far = await aFarServer(homeserver)
  })
  after(() => homeserver[Symbol.asyncDispose]())

  async function aRoom(version: string): Promise<string> {
    const { room_id } = await ann.ok('POST', '/createRoom', { preset: 'public_chat', room_version: version })
    await far.member(room_id, 'bob', 'join')
    return room_id
  }

  async function topic(room: string, text: string): Promise<string> {
    return (await ann.ok('PUT', `/rooms/${encodeURIComponent(room)}/state/m.room.topic/`, { topic: text })).event_id
  }

  const idOf = (pdu: JsonObject, version: string): string => {
    const parsed = parsePdu(pdu, rulesFor(version)!)
    return parsed.ok ? parsed.pdu.eventId : assert.fail(parsed.message)
  }
  const topicIn = (pdus: readonly Pdu[]): unknown => pdus.find(({ type }) => type === 'm.room.topic')?.['content']

  it('the state at a state event is the one before it', async () => {
    const room = await aRoom('10')
    const first = await topic(room, 'one')
    const second = await topic(room, 'two')
    const { event_id: later } = await ann.ok('PUT', `/rooms/${encodeURIComponent(room)}/send/m.room.message/m1`, {
      body: 'x',
    })
    const at = async (event: string): Promise<unknown> =>
      topicIn((await far.ok(`/state/${encodeURIComponent(room)}?event_id=${event}`)).pdus)
    assert.equal(await at(first), undefined)
    assert.deepEqual(await at(second), { topic: 'one' })
    assert.deepEqual(await at(later), { topic: 'two' })
  })

  it('the state at the create event is empty, and so is what allows it', async () => {
    for (const version of ['6', '12']) {
      const room = await aRoom(version)
      const { pdus } = await far.ok(`/backfill/${encodeURIComponent(room)}?v=${await topic(room, 't')}&limit=100`)
      const create = idOf(pdus.at(-1), version)
      assert.deepEqual(await far.ok(`/state/${encodeURIComponent(room)}?event_id=${create}`), {
        auth_chain: [],
        pdus: [],
      })
      assert.deepEqual(await far.ok(`/event_auth/${encodeURIComponent(room)}/${create}`), { auth_chain: [] })
    }
  })

  for (const version of ['3', '11', '12']) {
    it(`room version ${version}: /state and /state_ids tell the same, each key once, with every event that allows another`, async () => {
      const room = await aRoom(version)
      await far.member(room, 'bob', 'leave')
      await far.member(room, 'bob', 'join')
      const event = encodeURIComponent(await topic(room, 'a topic'))
      const { pdus, auth_chain: chain } = await far.ok(`/state/${encodeURIComponent(room)}?event_id=${event}`)
      const ids = await far.ok(`/state_ids/${encodeURIComponent(room)}?event_id=${event}`)
      const idsOf = (list: readonly Pdu[]): string[] => list.map((pdu) => idOf(pdu, version)).sort()
      assert.deepEqual(idsOf(pdus), ids.pdu_ids.toSorted())
      assert.deepEqual(idsOf(chain), ids.auth_chain_ids.toSorted())
      assert.equal(new Set(pdus.map((pdu: Pdu) => `${pdu.type} ${pdu.state_key}`)).size, pdus.length)
      assert.equal(new Set(ids.auth_chain_ids).size, ids.auth_chain_ids.length)
      const known = new Set(ids.auth_chain_ids)
      for (const pdu of [...pdus, ...chain] as Pdu[]) for (const id of pdu.auth_events) assert.ok(known.has(id), id)
      // Both earlier memberships of bob are in it, and the create event in every version.
      assert.equal(chain.filter((pdu: Pdu) => pdu.state_key === far.user('bob')).length, 2)
      assert.equal(chain.filter((pdu: Pdu) => pdu.type === 'm.room.create').length, 1)
    })

    it(`room version ${version}: /event_auth is the chain of this event and no more`, async () => {
      const room = await aRoom(version)
      const event = await topic(room, 'a topic')
      const { auth_chain: chain } = await far.ok(`/event_auth/${encodeURIComponent(room)}/${encodeURIComponent(event)}`)
      const types = chain.map((pdu: Pdu) => `${pdu.type} ${pdu.state_key}`).sort()
      assert.deepEqual(types, ['m.room.create ', `m.room.member ${ann.userId}`, 'm.room.power_levels '])
    })
  }

  it('/query_auth names what is missing here, and takes nothing in', async () => {
    const room = await aRoom('1')
    const event = await topic(room, 'a topic')
    const { auth_chain: chain } = await far.ok(`/event_auth/${encodeURIComponent(room)}/${encodeURIComponent(event)}`)
    const strange = { ...chain[0], event_id: '$strange:far.example', depth: 5 }
    const path = `/query_auth/${encodeURIComponent(room)}/${encodeURIComponent(event)}`
    const { status, body } = await far.request('POST', path, {
      auth_chain: [...chain, strange, null, 7, 'x', [], {}, { type: 1 }],
      rejects: { '$x:y': { reason: 'auth_error' } },
    })
    assert.equal(status, 200)
    assert.deepEqual(body, { auth_chain: chain, missing: ['$strange:far.example'], rejects: {} })
    assert.equal((await far.get(`/event/${encodeURIComponent('$strange:far.example')}`)).status, 404)
    const tooMany = await far.request('POST', path, { auth_chain: Array.from({ length: 1_001 }, () => ({})) })
    assert.deepEqual([tooMany.status, tooMany.body.errcode], [413, 'M_TOO_LARGE'])
  })
})
