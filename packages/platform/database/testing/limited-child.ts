/** A process with a limit on the size of files: commits until that fails, until it works again, and reports. */
import { setTimeout as sleep } from 'node:timers/promises'
import { DatabaseUnavailable } from '../database.ts'
import { openPlace } from './open.ts'
import { countEntries, insertAtPosition } from './statements.ts'

// By default the signal ends the process; handled, the write fails with EFBIG.
process.on('SIGXFSZ', () => {})

const database = await openPlace(JSON.parse(process.argv[2]!))
const committed: number[] = []
let failed = 0

// A small list writes several whole pages to the log, so that the log grows into the limit, but the database does not.
for (let id = 0; id < 500; id += 1) {
  try {
    await database.commit([insertAtPosition(id)], { positions: 1 })
    committed.push(id)
    if (failed > 0) break
  } catch (error) {
    if (!(error instanceof DatabaseUnavailable)) throw error
    failed += 1
    await sleep(20)
  }
  const counts = [await countEntries(database), database.lastPosition()]
  if (counts.some((count) => count !== committed.length)) throw new Error('a failed commit left something')
}

if (committed.at(-1)! < failed) throw new Error('commits never worked again')
await database[Symbol.asyncDispose]()
process.stdout.write(JSON.stringify({ committed, failed }))
