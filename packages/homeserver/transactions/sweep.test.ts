import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createManualClock } from '@holdfast/platform/clock/manual-clock'
import { sql } from '@holdfast/platform/database/sql'
import { insertClientTransaction } from '../storage/client-transactions.ts'
import { startTestHomeserver } from '../testing/homeserver.ts'
import { sweepTransactions } from './sweep.ts'

const HOUR_MS = 3_600_000

test('transactions are forgotten a day after they were answered, and no sooner', async () => {
  await using server = await startTestHomeserver()
  const { db } = server.parts
  const nowMs = 1_000 * HOUR_MS
  const rows = Array.from({ length: 2_500 }, (_, index) => ({
    deviceNid: 1 + (index % 7),
    requestHash: index,
    eventNid: 1,
    createdMs: nowMs - (index % 2 === 0 ? 25 : 23) * HOUR_MS,
  }))
  await db.commit(rows.map(insertClientTransaction))
  const clock = createManualClock({ nowMs })
  const sweeping = sweepTransactions({ db, clock }, new AbortController().signal)
  const ended = new AbortController()
  const counted = sweeping.finally(() => ended.abort())
  while (!ended.signal.aborted) {
    await clock.advance(100)
    await new Promise((resolve) => setImmediate(resolve))
  }
  assert.equal(await counted, 3)
  const [left] = await db.column(sql`SELECT COUNT(*) FROM client_transactions`)
  assert.equal(left, 1_250)
})
