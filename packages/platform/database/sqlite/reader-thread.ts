/** A thread for reads that take long. */
import { workerData } from 'node:worker_threads'
import { allRows, SqliteConnection } from './connection.ts'
import { engineFault, messageOf } from './faults.ts'
import type { HeavyAnswer, HeavyRequest } from './heavy-reader.ts'
import { serveThread } from './thread.ts'

const { path } = workerData as { path: string }
const connection = SqliteConnection.reader(path)

serveThread({
  answer: ({ id, text, values }: HeavyRequest): HeavyAnswer => {
    try {
      const statement = connection.prepare(id, text)
      return { kind: 'rows', columns: statement.columns, rows: allRows(statement, values) }
    } catch (error) {
      const fault = engineFault(error)
      if (fault !== undefined) return { kind: 'unavailable', message: fault }
      return { kind: 'refused', message: messageOf(error) }
    }
  },
  close: () => connection.close(),
})
