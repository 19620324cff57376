import assert from 'node:assert/strict'
import test from 'node:test'
import type { JsonObject } from '@holdfast/protocol/json/value'
import { rulesFor } from '@holdfast/protocol/room-version/rules'
import { finish, part, type PeerEvent } from '../../rooms/admit/testing/peer-events.ts'
import {
  aLyingPeer,
  anotherPeer,
  anotherRoom,
  assertAlive,
  edges,
  event,
  isShown,
  type LyingPeer,
  send,
} from '../../rooms/receive/testing/lying-peer.ts'

const PER_TRANSACTION = 50
/** What a machine with other work needs for an event; one that walks the chain for each needs a thousand times as much. */
const MS_PER_EVENT_MAX = 20

type Target = (ids: readonly string[]) => string

/** Each follows the one before it. */
function redactions(w: LyingPeer, count: number, target: Target): readonly PeerEvent[] {
  const made: PeerEvent[] = []
  const ids: string[] = [w.joined.eventId]
  for (let index = 0; index < count; index += 1) {
    const redacts = target(ids)
    const one = event(w, {
      type: 'm.room.redaction',
      ...(rulesFor(w.version)!.redactsInContent ? { content: { redacts } } : { content: {}, redacts }),
      depth: 20 + index,
      prev_events: edges(w, [ids.at(-1)!]),
    })
    made.push(one)
    ids.push(one.eventId)
  }
  return made
}

async function sendAll(w: LyingPeer, events: readonly PeerEvent[]): Promise<void> {
  for (let start = 0; start < events.length; start += PER_TRANSACTION) {
    const some = events.slice(start, start + PER_TRANSACTION)
    const startMs = performance.now()
    const results = await send(w, ...some)
    const msPerEvent = (performance.now() - startMs) / some.length
    assert.ok(msPerEvent < MS_PER_EVENT_MAX, `${msPerEvent} ms for each from the ${start}th`)
    for (const { eventId } of some) assert.deepEqual(results[eventId], {})
  }
}

type Shown = { readonly event_id: string; readonly unsigned: { readonly redacted_because?: Shown } }

/** Every page back to the beginning. */
async function history({ ann, roomId }: LyingPeer): Promise<readonly Shown[]> {
  const events: Shown[] = []
  let from = ''
  for (;;) {
    const { chunk, end } = await ann.ok('GET', `/rooms/${part(roomId)}/messages?dir=b&limit=1000${from}`)
    events.push(...chunk)
    if (end === undefined) return events
    from = `&from=${part(end)}`
  }
}

/** In version 1 servers choose the ids of events: that of the next but one is known before either is made. */
function laterId(ids: readonly string[]): string {
  const [, number, server] = /^\$e(\d+)(:.*)$/.exec(ids.at(-1)!)!
  return `$e${Number(number) + 2}${server}`
}

const CHAINS = [
  { what: 'the one after it', version: '1', count: 10_000, target: laterId },
  { what: 'the one before it', version: '12', count: 2_000, target: (ids: readonly string[]) => ids.at(-1)! },
]

for (const { what, version, count, target } of CHAINS) {
  test(`[A20] of ${count} redactions each takes back ${what}, and costs no more than the first: version ${version}`, async (t) => {
    const w = await aLyingPeer(t, { version })
    const chain = redactions(w, count, target)
    await sendAll(w, chain)
    const shown = new Map((await history(w)).map((one) => [one.event_id, one]))
    const redactedBy = (eventId: string) => shown.get(eventId)?.unsigned.redacted_because
    for (const [index, { eventId }] of chain.entries()) {
      const by = version === '1' ? chain[index - 1] : chain[index + 1]
      assert.equal(redactedBy(eventId)?.event_id, by?.eventId, `the ${index}th`)
      // Why the redaction was redacted is not told in turn.
      assert.equal(redactedBy(eventId)?.unsigned.redacted_because, undefined)
    }
    const beside = await anotherRoom(w)
    const elsewhere = event(beside, { content: { body: 'elsewhere' } })
    await send(w, elsewhere, ...redactions(w, 1, () => elsewhere.eventId))
    const { content } = await w.ann.ok('GET', `/rooms/${part(beside.roomId)}/event/${part(elsewhere.eventId)}`)
    assert.equal(content.body, 'elsewhere')
    await assertAlive(w)
    assert.equal((await w.ann.request('GET', '/sync')).status, 200)
  })
}

/** Two thousand times a little. */
const LATE_MS_MAX = 5_000
const CARLS = '192.0.2.2:8448'

test('[A20] two thousand redactions that wait for one event, and have no power over it, do not hold it up', async (t) => {
  const w = await aLyingPeer(t)
  const { peer, joined } = await anotherPeer(w, CARLS)
  const { signatures: _signatures, hashes: _hashes, ...usual } = event(w).body
  const said = finish(peer, w.version, {
    ...usual,
    sender: `@carl:${CARLS}`,
    auth_events: [...(usual['auth_events'] as string[]).slice(0, -1), joined.eventId],
    prev_events: [joined.eventId],
  })
  const waiting = redactions(w, 2_000, () => said.eventId)
  await sendAll(w, waiting)
  const startMs = performance.now()
  const answer = await peer.ok('PUT', '/v1/send/late', { origin: CARLS, origin_server_ts: 1, pdus: [said.body] })
  assert.ok(performance.now() - startMs < LATE_MS_MAX)
  assert.deepEqual((answer.pdus as JsonObject)[said.eventId], {})
  assert.ok(await isShown(w, said))
  const { content } = await w.ann.ok('GET', `/rooms/${part(w.roomId)}/event/${part(said.eventId)}`)
  assert.equal(content.body, 'hello')
  await assertAlive(w)
})
