/** What happened lately on the stream, in memory: a sync that follows closely asks the database for nothing. */

export type RecentLog<Entry extends { readonly position: number }> = {
  /** Call in `publish`. */
  add(entry: Entry): void
  /** The entries after a position, newest first; undefined if that is too long ago to know. */
  since(position: number): readonly Entry[] | undefined
  /** Hears of every entry, while it is published. One listener at a time. */
  listen(listener: () => void): Disposable
}

const REMEMBERED_MAX = 20_000

/** `knownSince` answers the position up to which changes may be in storage that nobody noted. */
export function openRecentLog<Entry extends { readonly position: number }>(knownSince: () => number): RecentLog<Entry> {
  const entries: Entry[] = []
  let completeAfter = Number.MIN_SAFE_INTEGER
  let heard: (() => void) | undefined
  return {
    add: (entry) => {
      entries.push(entry)
      heard?.()
      if (entries.length <= REMEMBERED_MAX) return
      completeAfter = entries.splice(0, REMEMBERED_MAX / 2).at(-1)!.position
    },
    since: (position) => {
      if (position < completeAfter || position < knownSince()) return undefined
      const found: Entry[] = []
      for (let index = entries.length - 1; index >= 0 && entries[index]!.position > position; index -= 1) {
        found.push(entries[index]!)
      }
      return found
    },
    listen: (listener) => {
      heard = listener
      return {
        [Symbol.dispose]: () => {
          if (heard === listener) heard = undefined
        },
      }
    },
  }
}
