import assert from 'node:assert/strict'
import test from 'node:test'
import type { Database } from '@holdfast/platform/database/database'
import { aLyingPeer, assertAlive, BOB, edges, event, type LyingPeer, send } from '../receive/testing/lying-peer.ts'
import type { PeerEvent } from './testing/peer-events.ts'

const TRANSACTIONS = 6
const EVENTS = 30
const READS_PER_EVENT_MAX = 6
const ROWS_PER_EVENT_MAX = 20

type Cost = { reads: number; rows: number }

/** Counts from now on what is read from the database. */
function counting(db: Database): Cost {
  const cost: Cost = { reads: 0, rows: 0 }
  const all = db.all.bind(db)
  const row = db.row.bind(db)
  const counted: Pick<Database, 'all' | 'row'> = {
    all: async (query) => {
      const found = await all(query)
      cost.reads += 1
      cost.rows += found.length
      return found as never
    },
    row: async (query) => {
      cost.reads += 1
      cost.rows += 1
      return (await row(query)) as never
    },
  }
  Object.assign(db, counted)
  return cost
}

/** Bob changes his name, on top of `prev`, vouched for by his membership before. */
function named(
  w: LyingPeer,
  depth: number,
  { prev, before, branch = '' }: { readonly prev: string; readonly before: string; readonly branch?: string },
): PeerEvent {
  const cited = ['m.room.create ', 'm.room.power_levels ', 'm.room.join_rules '].map((key) => w.state.get(key)!)
  return event(w, {
    type: 'm.room.member',
    state_key: BOB,
    content: { membership: 'join', displayname: `${depth} ${branch}` },
    depth,
    prev_events: edges(w, [prev]),
    auth_events: edges(w, [...cited, before]),
  })
}

for (const version of ['1', '2', '10']) {
  test(`an event of a member is as few reads however long the chain of what vouches for it: version ${version}`, async (t) => {
    const w = await aLyingPeer(t, { version })
    const cost = counting(w.server.parts.db)
    const costs: Cost[] = []
    let last = w.joined.eventId
    let depth = 20
    for (let transaction = 0; transaction < TRANSACTIONS; transaction += 1) {
      const events: PeerEvent[] = []
      for (let count = 0; count < EVENTS; count += 1) {
        depth += 1
        const next = named(w, depth, { prev: last, before: last })
        // Every tenth has a branch beside it, so that states meet in which the whole chain vouches.
        if (count % 10 === 9) events.push(named(w, depth, { prev: last, before: last, branch: 'beside' }))
        last = next.eventId
        events.push(next)
      }
      Object.assign(cost, { reads: 0, rows: 0 })
      const results = await send(w, ...events)
      assert.deepEqual(results, Object.fromEntries(events.map(({ eventId }) => [eventId, {}])))
      costs.push({ reads: cost.reads / events.length, rows: cost.rows / events.length })
    }
    for (const { reads, rows } of costs) {
      assert.ok(reads > 0 && reads <= READS_PER_EVENT_MAX && rows <= ROWS_PER_EVENT_MAX, JSON.stringify(costs))
    }
    await assertAlive(w)
  })
}
