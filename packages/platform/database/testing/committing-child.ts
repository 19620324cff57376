/** A process to be killed: commits lists without end and prints the id of each one that is acknowledged. */
import { statement } from '../database.ts'
import { sql } from '../sql.ts'
import { openPlace } from './open.ts'
import { insertAtPosition } from './statements.ts'

const [place, committed] = process.argv.slice(2)
const database = await openPlace(JSON.parse(place!))
// Lists of an earlier process may stand in the database without an acknowledgement, but never more than were in flight.
let next = Number(committed) + 1000 * (1 + Number(committed))

async function commitWithoutEnd(): Promise<never> {
  for (;;) {
    const id = (next += 1)
    const tally = statement(sql`INSERT INTO tally (name, entry, count) VALUES (${'child'}, ${id}, ${1})`)
    await database.commit([insertAtPosition(id), tally], { positions: 1 })
    await new Promise((resolve) => process.stdout.write(`${id}\n`, resolve))
  }
}

await Promise.all(Array.from({ length: 8 }, commitWithoutEnd))
