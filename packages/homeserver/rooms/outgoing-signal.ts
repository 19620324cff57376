/** Tells those who carry events to other servers that there may be new ones. Only a hint: what is to be told is in storage. */

export type OutgoingSignal = {
  wake(): void
  /** One listener at a time: the outbox. */
  listen(listener: () => void): Disposable
}

export function openOutgoingSignal(): OutgoingSignal {
  let heard: (() => void) | undefined
  return {
    wake: () => heard?.(),
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
