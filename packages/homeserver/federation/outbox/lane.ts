/** What waits for one server. Lanes exist only for servers for which something does. */
import type { ServerName } from '@holdfast/protocol/ids/brand'
import type { JsonObject } from '@holdfast/protocol/json/value'
import { OUTBOX_LIMITS } from './limits.ts'

export type OwedEvent = {
  readonly position: number
  readonly roomNid: number
  readonly eventNid: number
  /** It is not known whether the server was in the room when this was sent. */
  readonly isOld: boolean
}

export type Ephemeral = { readonly edu_type: string; readonly content: JsonObject }

export type Lane = {
  readonly server: ServerName
  /** Events that it has to hear of, in order; behind the gap, if there is one. */
  events: OwedEvent[]
  /**
   * Events in (after, upTo] have to be read from storage; `upTo` undefined: all that come. In memory are those behind
   * `upTo`.
   */
  gap: { after: number; upTo: number | undefined } | undefined
  /** Since when something has been waiting, monotonic ms. */
  owedSinceMs: number
  /** Its position in `outbox_behind`. */
  recorded: number | undefined
  /** Whether there may be EDUs in storage that it was not told. */
  hasEdus: boolean
  /** It was told those up to here, and they are in storage still. */
  edusTold: number | undefined
  edusUnchecked: number
  ephemeral: Map<string, Ephemeral>
  /** Items that the next transaction may have: fewer after one was refused as bad. */
  portion: number
  /** Transactions refused in a row. */
  refusals: number
  isBusy: boolean
  /** While it pauses. */
  pause: { readonly untilMs: number; readonly timer: Disposable } | undefined
  lastError: { readonly message: string; readonly atMs: number } | undefined
}

export function newLane(server: ServerName): Lane {
  return {
    server,
    events: [],
    gap: undefined,
    owedSinceMs: 0,
    recorded: undefined,
    hasEdus: false,
    edusTold: undefined,
    edusUnchecked: 0,
    ephemeral: new Map(),
    portion: OUTBOX_LIMITS.pdusMax,
    refusals: 0,
    isBusy: false,
    pause: undefined,
    lastError: undefined,
  }
}

/** Whether anything could be sent. */
export function hasWork(lane: Lane): boolean {
  return owesEvents(lane) || lane.hasEdus || lane.edusTold !== undefined || lane.ephemeral.size > 0
}

export function owesEvents(lane: Lane): boolean {
  return lane.gap !== undefined || lane.events.length > 0
}

/** It has heard of everything up to here; undefined: of everything. */
export function cursorOf(lane: Lane): number | undefined {
  if (lane.gap !== undefined) return lane.gap.after
  const first = lane.events[0]
  return first === undefined ? undefined : first.position - 1
}

export function pushEvent(lane: Lane, event: OwedEvent, nowMs: number): void {
  if (!owesEvents(lane)) lane.owedSinceMs = nowMs
  // Nothing but storage has what comes now.
  if (lane.gap !== undefined && lane.gap.upTo === undefined) return
  lane.events.push(event)
  if (lane.events.length > OUTBOX_LIMITS.queuedEventsMax) leaveToStorage(lane)
}

/** Forgets the events in memory; they are read again when their turn comes. */
export function leaveToStorage(lane: Lane): void {
  const after = cursorOf(lane)
  if (after === undefined) return
  lane.gap = { after, upTo: undefined }
  lane.events = []
}

export function pushEphemeral(lane: Lane, key: string, edu: Ephemeral): void {
  // Again at the end: it is news.
  lane.ephemeral.delete(key)
  lane.ephemeral.set(key, edu)
  if (lane.ephemeral.size <= OUTBOX_LIMITS.ephemeralMax) return
  for (const oldest of lane.ephemeral.keys()) {
    lane.ephemeral.delete(oldest)
    return
  }
}

/** Events that a transaction stands for, whether it carries them or they turned out to be none for this server. */
export type TakenEvents = {
  readonly events: readonly OwedEvent[]
  /** They were read out of the gap: all that is owed in it up to `through`, which is its end or not. */
  readonly gap: { readonly through: number; readonly upTo: number } | undefined
}

/** The server has heard of these. */
export function acknowledge(lane: Lane, taken: TakenEvents, nowMs: number): void {
  lane.owedSinceMs = nowMs
  const heard = taken.gap?.through ?? taken.events.at(-1)?.position
  if (heard === undefined) return
  lane.events = lane.events.filter(({ position }) => position > heard)
  // The queue may have been left to storage meanwhile.
  if (lane.gap === undefined) return
  lane.gap.after = Math.max(lane.gap.after, heard)
  if (taken.gap?.through === lane.gap.upTo) lane.gap = undefined
}
