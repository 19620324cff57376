/** Opens what carries events and EDUs to other servers. */
import type { ServerName } from '@holdfast/protocol/ids/brand'
import type { JsonObject } from '@holdfast/protocol/json/value'
import type { Homeserver } from '../../homeserver.ts'
import * as storage from '../../storage/outbox.ts'
import type { BatchDeps } from './batch.ts'
import { boundEdus } from './bound-edus.ts'
import { deliver } from './deliver.ts'
import { followDeviceLists } from './follow-device-lists.ts'
import { openEventRouter } from './follow-events.ts'
import { openFollower } from './follow.ts'
import { hasWork, type Lane, newLane, pushEphemeral } from './lane.ts'
import { openLedger } from './ledger.ts'
import { OUTBOX_LIMITS } from './limits.ts'
import { openPump } from './pump.ts'
import { openRefusedEvents } from './refused-events.ts'

export type EphemeralEdu = {
  /** What was said before with this key and has not gone out yet is forgotten: `typing !room:a @user:b`. */
  readonly key: string
  readonly eduType: string
  readonly content: JsonObject
}

export type Outbox = AsyncDisposable & {
  /** Goes on where it was left. Until then nothing goes out. */
  start(): Promise<void>
  /** News that are worth nothing tomorrow: they go out once, soon, or not at all if the server cannot be reached. */
  sendEphemeral(servers: Iterable<ServerName>, edu: EphemeralEdu): void
}

export type OutboxDeps = BatchDeps &
  Pick<Homeserver, 'clock' | 'random' | 'log' | 'streams' | 'outgoing' | 'federation'>

export function openOutbox(deps: OutboxDeps): Outbox {
  let running: RunningOutbox | undefined
  let starting: Promise<RunningOutbox> | undefined
  return {
    start: async () => {
      starting ??= startOutbox({ ...deps, log: deps.log.named('outbox') })
      running = await starting
    },
    sendEphemeral: (servers, edu) => running?.sendEphemeral(servers, edu),
    [Symbol.asyncDispose]: async () => (await starting)?.[Symbol.asyncDispose](),
  }
}

type RunningOutbox = AsyncDisposable & Pick<Outbox, 'sendEphemeral'>

async function startOutbox(deps: OutboxDeps): Promise<RunningOutbox> {
  const { clock, db, federation, outgoing, random } = deps
  const { destinations } = federation
  const progress = (await storage.outboxProgress(db)) ?? { settled: 0, device_lists: 0 }
  const lanes = new Map<ServerName, Lane>()
  const stopping = new AbortController()
  const refusedEvents = openRefusedEvents()
  const runId = random.text(12)
  let transactions = 0

  const laneOf = (server: ServerName): Lane => {
    let lane = lanes.get(server)
    if (lane === undefined) lanes.set(server, (lane = newLane(server)))
    return lane
  }
  const reap = (lane: Lane): void => {
    if (!hasWork(lane) && lane.recorded === undefined && !lane.isBusy && lane.pause === undefined) {
      lanes.delete(lane.server)
    }
  }
  const routed = () => router.routed
  const ledger = openLedger(
    { ...deps, lanes, routed, flushed: () => lanes.values().forEach(reap) },
    progress.settled,
  )
  const once = () => `${runId} ${(transactions += 1)}`
  const pump = openPump({
    ...deps,
    destinations,
    deliver: (lane) => deliver({ ...deps, routed, once, refusedEvents, signal: stopping.signal }, lane),
    delivered: (lane) => {
      reap(lane)
      ledger.touch()
    },
  })
  const wakeForEdus = (servers: Iterable<ServerName>): void => {
    for (const server of servers) {
      if (server === deps.serverName) continue
      const lane = laneOf(server)
      lane.hasEdus = true
      lane.edusUnchecked += 1
      if (lane.edusUnchecked >= OUTBOX_LIMITS.edusUncheckedMax) boundEdus(deps, lane)
      pump.wake(lane)
    }
  }
  const router = openEventRouter(
    { ...deps, laneOf, wake: (lane) => pump.wake(lane), startPosition: deps.streams.position() },
    progress.settled,
  )
  const events = openFollower(deps, 'events', async () => {
    const before = router.routed
    const more = await router.step()
    if (router.routed > before) ledger.touch()
    return more
  })
  const deviceLists = openFollower(deps, 'device lists', followDeviceLists({ ...deps, wakeForEdus }, progress.device_lists))

  for (const row of await storage.serversBehind(db)) {
    const lane = laneOf(row.server_name as ServerName)
    lane.gap = { after: row.position, upTo: undefined }
    lane.recorded = row.position
  }
  for (const server of await storage.serversWithEdus(db)) laneOf(server as ServerName).hasEdus = true
  ;[...lanes.values()].forEach((lane, index) => pump.pause(lane, index * OUTBOX_LIMITS.staggerMs))

  const awake = destinations.onAwake((server) => {
    const lane = lanes.get(server)
    if (lane !== undefined) pump.wakeNow(lane)
  })
  const listening = outgoing.listen((servers) => {
    if (servers !== undefined) wakeForEdus(servers)
    else {
      events.look()
      deviceLists.look()
    }
  })
  events.look()
  deviceLists.look()

  return {
    sendEphemeral: (servers, { key, eduType, content }) => {
      for (const server of servers) {
        if (server === deps.serverName) continue
        const lane = laneOf(server)
        // It cannot be reached now.
        if (lane.pause !== undefined) continue
        pushEphemeral(lane, key, { edu_type: eduType, content })
        pump.wake(lane)
      }
    },
    [Symbol.asyncDispose]: async () => {
      listening[Symbol.dispose]()
      awake[Symbol.dispose]()
      for (const lane of lanes.values()) lane.pause?.timer[Symbol.dispose]()
      await Promise.all([events.stop(), deviceLists.stop()])
      const late = clock.after(OUTBOX_LIMITS.drainMs, () => stopping.abort())
      await pump.drain()
      late[Symbol.dispose]()
      await ledger.flush()
      ledger[Symbol.dispose]()
    },
  }
}
