/** A thread that makes checkpoints: each one waits for the disk, which commits should not. */
import { workerData } from 'node:worker_threads'
import { checkpoint, type CheckpointMode, type CheckpointResult } from './checkpoint.ts'
import { SqliteConnection } from './connection.ts'
import { letOthersGoFirst } from './thread-priority.ts'
import { serveThread } from './thread.ts'

const { path } = workerData as { path: string }
const connection = SqliteConnection.writer(path)

letOthersGoFirst()
serveThread({
  answer: (mode: CheckpointMode): CheckpointResult => checkpoint(connection, mode),
  close: () => connection.close(),
})
