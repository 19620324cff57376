/** One process of a server, from its start to its end. */

export type Life = {
  readonly isOver: boolean
  readonly number: number
  /** Resolves when the process dies. */
  readonly ended: Promise<void>
  end(): void
}

export function beginLife(number: number): Life {
  let isOver = false
  const { promise, resolve } = Promise.withResolvers<void>()
  return {
    get isOver() {
      return isOver
    },
    number,
    ended: promise,
    end: () => {
      isOver = true
      resolve()
    },
  }
}

/** What a dead process waits for. */
export function never<T>(): Promise<T> {
  return new Promise(() => {})
}
