/** The writer on a thread of its own, for disks whose fsync would hold the event loop. */
import type { Outcome, PreparedList } from '../prepared.ts'
import type { SqliteValue } from './encoding.ts'
import { messageOf } from './faults.ts'
import { Thread } from './thread.ts'
import type { SqliteWriter } from './writer.ts'

export type WriterRequest = readonly PreparedList<SqliteValue>[]
export type WriterAnswer = { readonly outcomes: readonly Outcome[]; readonly position: number }

export type WriterData = { readonly path: string; readonly pagesMax: number | undefined }

export function threadedWriter({ position, ...data }: WriterData & { readonly position: number }): SqliteWriter {
  const thread = new Thread<WriterRequest, WriterAnswer>(new URL('./writer-thread.ts', import.meta.url), data)
  let visible = position
  const write = async (lists: WriterRequest): Promise<readonly Outcome[]> => {
    try {
      const answer = await thread.call(lists)
      visible = answer.position
      return answer.outcomes
    } catch (error) {
      // The thread died with the group in hand: its transaction may or may not have ended.
      return lists.map(() => ({ kind: 'unavailable', message: messageOf(error), outcomeUnknown: true }))
    }
  }
  return { position: () => visible, write, close: () => thread.close() }
}
