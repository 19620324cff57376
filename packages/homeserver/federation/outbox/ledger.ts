/**
 * How far servers have been told, on disk. One position stands for all that keep up; a server that does not gets a
 * position of its own. So an event in a room of a thousand servers costs one row, and a dead server costs nothing.
 */
import type { ServerName } from '@holdfast/protocol/ids/brand'
import type { Statement } from '@holdfast/platform/database/database'
import type { Homeserver } from '../../homeserver.ts'
import { deleteOutgoingEvents } from '../../storage/federation-rooms.ts'
import { deleteBehind, setBehind, setSettled } from '../../storage/outbox.ts'
import { cursorOf, leaveToStorage, type Lane } from './lane.ts'
import { OUTBOX_LIMITS } from './limits.ts'

export type Ledger = {
  /** Something may have changed: it is written down soon. */
  touch(): void
  flush(): Promise<void>
  /** Every server has heard of what is up to here, but for those recorded as behind. */
  readonly settled: number
  /** And these, too, of what is up to here. */
  readonly told: number
}

export type LedgerDeps = Pick<Homeserver, 'db' | 'clock' | 'log'> & {
  readonly lanes: ReadonlyMap<ServerName, Lane>
  readonly routed: () => number
  /** After something was written down. */
  readonly flushed: () => void
}

export function openLedger(deps: LedgerDeps, settledBefore: number): Ledger & Disposable {
  let settled = settledBefore
  let told = 0
  let timer: Disposable | undefined
  let flushing: Promise<void> = Promise.resolve()
  const caughtUp = new Set<ServerName>()

  async function write(): Promise<void> {
    const entry = nextEntry(deps, settled)
    for (const lane of entry.caughtUp) {
      // From now on it counts for what is settled, so the row can go at leisure.
      lane.recorded = undefined
      caughtUp.add(lane.server)
    }
    for (const { lane } of entry.behind) caughtUp.delete(lane.server)
    const done = [...caughtUp]
    const statements: Statement[] = [
      ...entry.behind.map(({ lane, position }) => setBehind({ serverName: lane.server, position })),
      ...done.map((server) => deleteBehind(server)),
    ]
    if (entry.settled > settled) statements.push(setSettled(entry.settled))
    if (entry.told > told) statements.push(deleteOutgoingEvents(entry.told))
    if (statements.length === 0) return
    await deps.db.commit(statements)
    settled = entry.settled
    told = entry.told
    for (const server of done) caughtUp.delete(server)
    for (const { lane, position } of entry.behind) {
      if (deps.lanes.get(lane.server) === lane) lane.recorded = position
      else caughtUp.add(lane.server)
    }
    deps.flushed()
  }

  function flushAfter(ms: number): void {
    timer ??= deps.clock.after(ms, () => void flush())
  }

  // Nothing is lost: less is written down than was told, and it is told again after a crash.
  const failed = (error: unknown): void => {
    deps.log.warn({ err: error }, 'outbox not written down')
    flushAfter(OUTBOX_LIMITS.troubleWaitMs)
  }

  /** One after the other. */
  function flush(): Promise<void> {
    timer?.[Symbol.dispose]()
    timer = undefined
    flushing = flushing.then(write).catch(failed)
    return flushing
  }

  return {
    touch: () => flushAfter(OUTBOX_LIMITS.flushMs),
    flush,
    get settled() {
      return settled
    },
    get told() {
      return told
    },
    [Symbol.dispose]: () => timer?.[Symbol.dispose](),
  }
}

type Entry = {
  readonly settled: number
  /** Nobody needs an event up to here. */
  readonly told: number
  readonly behind: readonly { readonly lane: Lane; readonly position: number }[]
  readonly caughtUp: readonly Lane[]
}

function nextEntry({ lanes, routed, clock }: LedgerDeps, before: number): Entry {
  const behind: { lane: Lane; position: number }[] = []
  const caughtUp: Lane[] = []
  let settled = Math.max(routed(), before)
  let told = settled
  for (const lane of lanes.values()) {
    const cursor = cursorOf(lane)
    if (cursor === undefined) {
      if (lane.recorded !== undefined) caughtUp.push(lane)
      continue
    }
    if (lane.recorded === undefined && !isBehind(lane, clock.monotonicMs())) {
      settled = Math.min(settled, cursor)
      continue
    }
    if (cursor !== lane.recorded) behind.push({ lane, position: cursor })
    told = Math.min(told, lane.recorded ?? cursor)
    // Whoever cannot be reached needs no memory.
    if (lane.pause !== undefined && !lane.isBusy) leaveToStorage(lane)
  }
  return { settled: Math.max(settled, before), told: Math.min(told, settled), behind, caughtUp }
}

function isBehind(lane: Lane, nowMs: number): boolean {
  return lane.pause !== undefined || lane.gap !== undefined || nowMs - lane.owedSinceMs >= OUTBOX_LIMITS.behindAfterMs
}
