/** A follower's loop: looks for more whenever it is told to, one look at a time, and tries again after trouble. */
import type { Homeserver } from '../../homeserver.ts'
import { OUTBOX_LIMITS } from './limits.ts'

export type Follower = {
  look(): void
  /** Resolves when the look that runs is over; there is no other. */
  stop(): Promise<void>
}

/** @param step does a piece of the work; answers whether there may be more */
export type FollowerDeps = Pick<Homeserver, 'clock' | 'log'>

export function openFollower(deps: FollowerDeps, name: string, step: () => Promise<boolean>): Follower {
  let running: Promise<void> | undefined
  let retry: Disposable | undefined
  const asked = { isOn: false, isOver: false }

  async function run(): Promise<void> {
    while (asked.isOn && !asked.isOver) {
      asked.isOn = false
      // Who asks does so while a commit is published, and a moment before readers may go up to it.
      await Promise.resolve()
      if (await step()) asked.isOn = true
    }
  }

  function look(): void {
    retry?.[Symbol.dispose]()
    retry = undefined
    asked.isOn = true
    if (running !== undefined || asked.isOver) return
    running = run()
      .catch((error: unknown) => {
        deps.log.warn({ err: error, follower: name }, 'follower waits after an error')
        retry = deps.clock.after(OUTBOX_LIMITS.troubleWaitMs, look)
      })
      .finally(() => {
        running = undefined
        // Asked between the last look and here.
        if (asked.isOn && retry === undefined) look()
      })
  }

  return {
    look,
    stop: async () => {
      asked.isOver = true
      await running
      retry?.[Symbol.dispose]()
    },
  }
}
