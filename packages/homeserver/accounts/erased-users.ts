/** Who asked to be erased as far as possible, when they ended their account. Few, so all are in memory. */
import type { Reader } from '@holdfast/platform/database/database'
import { erasedUsers } from '../storage/accounts.ts'

export type ErasedUsers = {
  all(): Promise<ReadonlySet<number>>
  /** Call after the commit. */
  add(userNid: number): void
}

export function openErasedUsers(db: Reader): ErasedUsers {
  const added = new Set<number>()
  let loading: Promise<Set<number>> | undefined

  async function load(): Promise<Set<number>> {
    try {
      const users = new Set(await erasedUsers(db))
      for (const userNid of added) users.add(userNid)
      return users
    } catch (error) {
      loading = undefined
      throw error
    }
  }

  return {
    all: () => (loading ??= load()),
    add: (userNid) => {
      added.add(userNid)
      void loading?.then((users) => users.add(userNid)).catch(() => undefined)
    },
  }
}
