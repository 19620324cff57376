/** What the devices of a user say of their presence, and what follows for the user. Pure; times are monotonic. */
import type { PresenceState } from '../storage/presence.ts'

export type DevicePresence = {
  state: PresenceState
  /** The `set_presence` of its last sync: one that repeats it says nothing new. */
  syncState: PresenceState | undefined
  /** Syncs that wait now. */
  syncs: number
  /** When it was there last. */
  seenMs: number
}

export type Presentness = {
  readonly devices: ReadonlyMap<number, DevicePresence>
  /** The last action of the user. */
  readonly activeMs: number
}

/** Between two syncs of a device that is there. */
export const ABSENT_AFTER_MS = 30_000
export const IDLE_AFTER_MS = 300_000

function isThere(device: DevicePresence, nowMs: number): boolean {
  return device.syncs > 0 || nowMs - device.seenMs < ABSENT_AFTER_MS
}

/** Online where any device that is there is, unless nothing was done for long. */
export function stateOf({ devices, activeMs }: Presentness, nowMs: number): PresenceState {
  let state: PresenceState = 'offline'
  for (const device of devices.values()) {
    if (!isThere(device, nowMs) || device.state === 'offline') continue
    if (device.state === 'online') state = 'online'
    else if (state === 'offline') state = 'unavailable'
  }
  return state === 'online' && nowMs - activeMs >= IDLE_AFTER_MS ? 'unavailable' : state
}

/** When `stateOf` may give another answer, if nothing happens; undefined: never. */
export function nextChangeMs({ devices, activeMs }: Presentness, nowMs: number): number | undefined {
  const times: number[] = []
  for (const device of devices.values()) {
    if (device.syncs === 0 && isThere(device, nowMs)) times.push(device.seenMs + ABSENT_AFTER_MS)
  }
  const idleMs = activeMs + IDLE_AFTER_MS
  if (idleMs > nowMs && [...devices.values()].some(({ state }) => state === 'online')) times.push(idleMs)
  return times.length === 0 ? undefined : Math.min(...times)
}

/** Forgets devices that are gone. */
export function dropAbsent(devices: Map<number, DevicePresence>, nowMs: number): void {
  for (const [deviceNid, device] of devices) if (!isThere(device, nowMs)) devices.delete(deviceNid)
}
