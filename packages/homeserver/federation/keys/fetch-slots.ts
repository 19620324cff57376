/** How many servers are asked for their keys at once, in all and at one host. */
import type { ServerName } from '@holdfast/protocol/ids/brand'
import { serverAddress } from '@holdfast/protocol/ids/server-name'

export type FetchSlots = {
  /** Runs `work` when there is room; undefined if too many wait already. */
  run<Result>(server: ServerName, work: () => Promise<Result>): Promise<Result | undefined>
}

export type FetchSlotLimits = {
  readonly atOnceMax: number
  /** Names that differ in their port lead to one host, which is somebody's whether or not a server runs there. */
  readonly atOnceByHostMax: number
  readonly waitingMax: number
}

type Waiting = { readonly host: string; readonly start: () => void }

export function openFetchSlots({ atOnceMax, atOnceByHostMax, waitingMax }: FetchSlotLimits): FetchSlots {
  const busyHosts = new Map<string, number>()
  const waiting: Waiting[] = []
  let busy = 0

  const hasRoom = ({ host }: Pick<Waiting, 'host'>) => busy < atOnceMax && (busyHosts.get(host) ?? 0) < atOnceByHostMax

  function take(host: string): void {
    busy += 1
    busyHosts.set(host, (busyHosts.get(host) ?? 0) + 1)
  }

  function giveBack(host: string): void {
    busy -= 1
    const left = (busyHosts.get(host) ?? 1) - 1
    if (left === 0) busyHosts.delete(host)
    else busyHosts.set(host, left)
    const next = waiting.findIndex(hasRoom)
    if (next >= 0) waiting.splice(next, 1)[0]!.start()
  }

  return {
    run: async (server, work) => {
      const { host } = serverAddress(server)
      if (hasRoom({ host })) take(host)
      else if (waiting.length >= waitingMax) return undefined
      else {
        await new Promise<void>((resolve) => {
          const start = () => {
            take(host)
            resolve()
          }
          waiting.push({ host, start })
        })
      }
      try {
        return await work()
      } finally {
        giveBack(host)
      }
    },
  }
}
