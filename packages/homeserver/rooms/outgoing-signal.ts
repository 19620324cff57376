/** Tells those who carry things to other servers that there may be new ones. Only a hint: what is to be told is in storage. */
import type { ServerName } from '@holdfast/protocol/ids/brand'

export type OutgoingSignal = {
  /** Events or updates of device lists were committed; with servers: EDUs for these were (`insertOutgoingEdu`). */
  wake(servers?: Iterable<ServerName>): void
  /** One listener at a time: the outbox. */
  listen(listener: (servers: Iterable<ServerName> | undefined) => void): Disposable
}

export function openOutgoingSignal(): OutgoingSignal {
  let heard: ((servers: Iterable<ServerName> | undefined) => void) | undefined
  return {
    wake: (servers) => heard?.(servers),
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
