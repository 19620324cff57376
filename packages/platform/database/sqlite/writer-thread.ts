/** The writer's thread. */
import { workerData } from 'node:worker_threads'
import { SqliteConnection } from './connection.ts'
import { GroupApplier } from './group.ts'
import { serveThread } from './thread.ts'
import type { WriterData, WriterAnswer, WriterRequest } from './threaded-writer.ts'

const { path, pagesMax } = workerData as WriterData
const connection = SqliteConnection.writer(path, pagesMax)
const applier = new GroupApplier(connection)

// Of the loop's rank: beside four busy programs on its core, a writer of lower rank took 50 to 90 ms for a commit, not 4.
serveThread({
  answer: (lists: WriterRequest): WriterAnswer => {
    const slices = applier.apply(lists)
    let slice = slices.next()
    while (slice.done !== true) slice = slices.next()
    return { outcomes: slice.value, position: applier.position }
  },
  close: () => connection.close(),
})
