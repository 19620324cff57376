import assert from 'node:assert/strict'
import test from 'node:test'
import { part } from '../admit/testing/peer-events.ts'
import { aLyingPeer, edges, event, isShown, PEER, send } from './testing/lying-peer.ts'

const API = '/_matrix/federation/v1'

test('what is missing behind a refused event is fetched too: it is the past of all that follows that one', async (t) => {
  const w = await aLyingPeer(t)
  const past = event(w, { content: { body: 'past' } })
  // Bob may not do this.
  const usurped = { type: 'm.room.power_levels', state_key: '', content: { users: {} } }
  const refused = event(w, { ...usurped, prev_events: edges(w, [past.eventId]), depth: 21 })
  const told = { origin: PEER, origin_server_ts: 1, pdus: [past.body] }
  const ids = [...w.state.values()]
  w.answers.set(`${API}/event/${past.eventId}`, told)
  w.answers.set(`${API}/state_ids/${w.roomId}`, { pdu_ids: ids, auth_chain_ids: ids })
  await send(w, refused)
  assert.equal(await isShown(w, refused), false)
  const after = event(w, { prev_events: edges(w, [refused.eventId]), depth: 22 })
  await send(w, after)
  assert.ok(await isShown(w, after))
  w.answers.set(`${API}/backfill/${w.roomId}`, told)
  const { chunk } = await w.ann.ok('GET', `/rooms/${part(w.roomId)}/messages?dir=b&limit=20`)
  const ownIds = (chunk as { event_id: string }[]).map(({ event_id: eventId }) => eventId)
  assert.deepEqual(ownIds.slice(0, 2), [after.eventId, past.eventId])
})
