/** The lanes of all servers for which something waits. */
import type { ServerName } from '@holdfast/protocol/ids/brand'
import { hasWork, type Lane, newLane } from './lane.ts'

export type Lanes = {
  readonly lanes: ReadonlyMap<ServerName, Lane>
  laneOf(server: ServerName): Lane
  /** Drops the lane if nothing waits any more. */
  reap(lane: Lane): void
}

export function openLanes(): Lanes {
  const lanes = new Map<ServerName, Lane>()
  return {
    lanes,
    laneOf: (server) => {
      let lane = lanes.get(server)
      if (lane === undefined) lanes.set(server, (lane = newLane(server)))
      return lane
    },
    reap: (lane) => {
      if (hasWork(lane) || lane.isBusy || lane.recorded !== undefined || lane.pause !== undefined) return
      lanes.delete(lane.server)
    },
  }
}

export function laneTotals(lanes: ReadonlyMap<ServerName, Lane>): {
  readonly servers: number
  readonly behind: number
  readonly pausing: number
} {
  const all = [...lanes.values()]
  return {
    servers: all.length,
    behind: all.filter(({ recorded }) => recorded !== undefined).length,
    pausing: all.filter(({ pause }) => pause !== undefined).length,
  }
}
