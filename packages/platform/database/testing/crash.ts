/** The contract of durability: what was acknowledged survives a kill -9, whole lists only. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { describe, it } from 'node:test'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { sql } from '../sql.ts'
import type { Engine, PlaceDescription } from './place.ts'

/** Rounds of kill and reopen on one database. */
const ROUNDS = 3

export function crashContract(engine: Engine): void {
  describe(`${engine.name}: crash`, () => {
    it('keeps every acknowledged list, whole, and no part of any other', async () => {
      await using place = await engine.place()
      const acknowledged = new Set<number>()
      for (let round = 0; round < ROUNDS; round += 1) {
        await killAfter(place.description, { acknowledgements: 200 + 150 * round, acknowledged })
        await using database = await place.open()
        const ids = await database.column(sql`SELECT id FROM entries ORDER BY id`)
        const missing = [...acknowledged].filter((id) => !ids.includes(id))
        assert.deepEqual(missing, [])
        assert.deepEqual(await database.column(sql`SELECT entry FROM tally ORDER BY entry`), ids)
        const positions = await database.column(sql`SELECT position FROM entries ORDER BY position`)
        assert.deepEqual(
          positions,
          [...positions.keys()].map((index) => index + 1),
        )
        assert.equal(database.lastPosition(), positions.length)
      }
    })
  })
}

type Acknowledgements = { readonly acknowledgements: number; readonly acknowledged: Set<number> }

/** Lets a child process commit, notes what it was told to be durable, and kills it in the middle. */
async function killAfter(place: PlaceDescription, { acknowledgements, acknowledged }: Acknowledgements): Promise<void> {
  const script = fileURLToPath(new URL('./committing-child.ts', import.meta.url))
  const argv = [script, JSON.stringify(place), String(acknowledged.size)]
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = new Promise((resolve) => child.once('exit', resolve))
  const before = acknowledged.size
  for await (const line of createInterface({ input: child.stdout })) {
    acknowledged.add(Number(line))
    if (acknowledged.size - before >= acknowledgements) child.kill('SIGKILL')
  }
  await exited
  assert.ok(acknowledged.size - before >= acknowledgements, 'the child ended by itself')
}
