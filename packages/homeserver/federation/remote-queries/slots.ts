/** At most so many requests to one server at a time; the others wait for their turn, as long as they have time. */
import type { Clock } from '@holdfast/platform/clock/clock'
import type { ServerName } from '@holdfast/protocol/ids/brand'

export type Slots = {
  /** `work` is given what is left of the time. @throws if there is none left, or too many wait already */
  run<T>(server: ServerName, timeoutMs: number, work: (leftMs: number) => Promise<T>): Promise<T>
}

type Queue = { busy: number; readonly waiting: (() => void)[] }

export function openSlots(
  clock: Pick<Clock, 'monotonicMs' | 'after'>,
  { atOnceMax, waitingMax }: { readonly atOnceMax: number; readonly waitingMax: number },
): Slots {
  const queues = new Map<ServerName, Queue>()

  async function take(server: ServerName, timeoutMs: number): Promise<Queue> {
    const queue = queues.get(server) ?? { busy: 0, waiting: [] }
    queues.set(server, queue)
    if (queue.busy < atOnceMax) queue.busy += 1
    else if (queue.waiting.length >= waitingMax) throw new Error(`too many requests wait for ${server}`)
    else await turn(queue, server, timeoutMs)
    return queue
  }

  /** Whoever is done hands its place over. */
  function turn({ waiting }: Queue, server: ServerName, timeoutMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const begin = (): void => {
        timer[Symbol.dispose]()
        resolve()
      }
      const timer = clock.after(timeoutMs, () => {
        waiting.splice(waiting.indexOf(begin), 1)
        reject(new Error(`no time is left to ask ${server}`))
      })
      waiting.push(begin)
    })
  }

  return {
    run: async (server, timeoutMs, work) => {
      const endMs = clock.monotonicMs() + timeoutMs
      const queue = await take(server, timeoutMs)
      try {
        return await work(endMs - clock.monotonicMs())
      } finally {
        const next = queue.waiting.shift()
        if (next !== undefined) next()
        else queue.busy -= 1
        if (queue.busy === 0) queues.delete(server)
      }
    },
  }
}
