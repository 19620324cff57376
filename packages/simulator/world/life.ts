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

/** For a process that died meanwhile there is no answer. */
export async function whileAlive<T>(life: Pick<Life, 'isOver'>, answer: Promise<T>): Promise<T> {
  try {
    const value = await answer
    return life.isOver ? await never<T>() : value
  } catch (error) {
    if (life.isOver) return never()
    throw error
  }
}
