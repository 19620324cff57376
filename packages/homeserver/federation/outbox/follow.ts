/** A follower's loop: looks for more whenever it is told to, one look at a time, and tries again after trouble. */
import type { Homeserver } from '../../homeserver.ts'
import { OUTBOX_LIMITS } from './limits.ts'

export type Follower = {
  look(): void
  /** Resolves when the look that runs is over; there is no other. */
  stop(): Promise<void>
}

/** @param step does a piece of the work; answers whether there may be more */
export function openFollower(
  deps: Pick<Homeserver, 'clock' | 'log'>,
  name: string,
  step: () => Promise<boolean>,
): Follower {
  let running: Promise<void> | undefined
  let isAsked = false
  let isStopped = false
  let retry: Disposable | undefined

  async function run(): Promise<void> {
    while (isAsked && !isStopped) {
      isAsked = false
      // Who asks does so while a commit is published, and a moment before readers may go up to it.
      await Promise.resolve()
      if (await step()) isAsked = true
    }
  }

  function look(): void {
    isAsked = true
    if (running !== undefined || isStopped) return
    running = run()
      .catch((error: unknown) => {
        deps.log.warn({ err: error, follower: name }, 'follower waits after an error')
        retry?.[Symbol.dispose]()
        retry = deps.clock.after(OUTBOX_LIMITS.troubleWaitMs, look)
      })
      .finally(() => {
        running = undefined
        // Asked between the last look and here.
        if (isAsked && retry === undefined) look()
      })
  }

  return {
    look: () => {
      retry?.[Symbol.dispose]()
      retry = undefined
      look()
    },
    stop: async () => {
      isStopped = true
      retry?.[Symbol.dispose]()
      await running
    },
  }
}
