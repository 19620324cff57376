/** The lanes of all servers for which something waits. */
import type { ServerName } from '@holdfast/protocol/ids/brand'
import { hasWork, type Lane, newLane, owesEvents } from './lane.ts'

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

export type LaneTotals = {
  /** Servers for which something waits. */
  readonly servers: number
  readonly behind: number
  readonly pausing: number
  /** In memory, once for each server. */
  readonly queuedEvents: number
  /** How long the one that has waited longest was told no event that it is owed. */
  readonly oldestMs: number
}

export function laneTotals(lanes: ReadonlyMap<ServerName, Lane>, nowMs: number): LaneTotals {
  const totals = { servers: lanes.size, behind: 0, pausing: 0, queuedEvents: 0, oldestMs: 0 }
  for (const lane of lanes.values()) {
    if (lane.recorded !== undefined) totals.behind += 1
    if (lane.pause !== undefined) totals.pausing += 1
    totals.queuedEvents += lane.events.length
    if (owesEvents(lane)) totals.oldestMs = Math.max(totals.oldestMs, nowMs - lane.owedSinceMs)
  }
  return totals
}
