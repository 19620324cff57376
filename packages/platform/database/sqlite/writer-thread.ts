/** The writer's thread. */
import { workerData } from 'node:worker_threads'
import { SqliteConnection } from './connection.ts'
import { GroupApplier } from './group.ts'
import { letOthersGoFirst } from './thread-priority.ts'
import { serveThread } from './thread.ts'
import type { WriterData, WriterAnswer, WriterRequest } from './threaded-writer.ts'

const { path, pagesMax } = workerData as WriterData
const connection = SqliteConnection.writer(path, pagesMax)
const applier = new GroupApplier(connection)

letOthersGoFirst()
serveThread({
  answer: (lists: WriterRequest): WriterAnswer => {
    const slices = applier.apply(lists)
    let slice = slices.next()
    while (slice.done !== true) slice = slices.next()
    return { outcomes: slice.value, position: applier.position }
  },
  close: () => connection.close(),
})
