/**
 * Changes of the devices and keys of a user: one row for those who share a room, one for other servers, whatever the
 * number of rooms. <https://spec.matrix.org/v1.19/client-server-api/#tracking-the-device-list-for-a-user>
 */
import type { Clock } from '@holdfast/platform/clock/clock'
import { createSlices } from '@holdfast/platform/clock/slices'
import type { Statement } from '@holdfast/platform/database/database'
import type { Log } from '@holdfast/platform/log/log'
import type { OutgoingSignal } from '../rooms/outgoing-signal.ts'
import type { RoomHeads } from '../rooms/room-heads.ts'
import type { UserMemberships } from '../rooms/user-memberships.ts'
import {
  insertDeviceListUpdate,
  pruneDeviceListUpdates,
  setDeviceListChange,
  setPrivateKeyChange,
} from '../storage/device-lists.ts'
import type { Streams } from '../streams/streams.ts'
import { E2E_LIMITS } from './limits.ts'
import { openRecentLog, type RecentLog } from './recent-log.ts'

/** `readerNid`: only this user is told. */
export type ListChange = {
  readonly position: number
  readonly userNid: number
  readonly readerNid: number | undefined
}

export type DeviceLists = Disposable & {
  readonly log: RecentLog<ListChange>
  /** Call in `publish`: wakes those who share a room with the user, and the user's own devices. */
  changed(change: ListChange): void
}

/** What a change adds to a commit that takes positions. */
export type Announcement = {
  readonly statements: readonly Statement[]
  readonly positions: number
  publish(firstPosition: number): void
}

/** Changes within this time wake together. */
const WAKE_AFTER_MS = 50

type ListDeps = {
  readonly clock: Clock
  readonly log: Log
  readonly heads: RoomHeads
  readonly memberships: UserMemberships
  readonly streams: Streams
  readonly outgoing: OutgoingSignal
}

export function openDeviceLists(deps: ListDeps): DeviceLists {
  const { streams } = deps
  const log = openRecentLog<ListChange>(() => streams.startPosition)
  let waking = new Set<number>()
  let timer: Disposable | undefined

  function flush(): void {
    timer = undefined
    const users = waking
    waking = new Set()
    deps.outgoing.wake()
    wake(deps, users).catch((error: Error) => {
      // Nothing is lost: whoever is not woken is told when the sync ends.
      deps.log.warn({ error: error.message }, 'cannot wake syncs for a change of devices')
    })
  }

  return {
    log,
    changed: (change) => {
      log.add(change)
      const { position, readerNid, userNid } = change
      streams.userChanged({ userNid: readerNid ?? userNid, position })
      if (readerNid !== undefined) return
      waking.add(userNid)
      timer ??= deps.clock.after(WAKE_AFTER_MS, flush)
    },
    [Symbol.dispose]: () => timer?.[Symbol.dispose](),
  }
}

async function wake(deps: ListDeps, users: ReadonlySet<number>): Promise<void> {
  const roomNids = new Set<number>()
  for (const userNid of users) {
    for (const { roomNid, membership } of (await deps.memberships.of(userNid)).values()) {
      if (membership === 'join') roomNids.add(roomNid)
    }
  }
  const slice = createSlices(deps.clock)
  for (const roomNid of roomNids) {
    await slice()
    deps.streams.wake((await deps.heads.byNid(roomNid)).members.joined)
  }
}

type Announcing = { readonly e2eKeys: { readonly deviceLists: DeviceLists } }

/** Devices of a local user came, went or changed. Begins at the position of `offset`. */
export function announceDevices(
  deps: Announcing,
  { userNid, deviceIds }: { readonly userNid: number; readonly deviceIds: readonly string[] },
  offset = 0,
): Announcement {
  return announcement(deps, userNid, deviceIds, offset)
}

/** The master key or the self-signing key of a local user changed. */
export function announceSigningKeys(deps: Announcing, userNid: number, offset = 0): Announcement {
  return announcement(deps, userNid, [undefined], offset)
}

function announcement(
  deps: Announcing,
  userNid: number,
  updates: readonly (string | undefined)[],
  offset: number,
): Announcement {
  const positions = updates.length
  if (positions === 0) return { statements: [], positions, publish: () => {} }
  const last = offset + positions - 1
  return {
    statements: [
      ...updates.map((deviceId, index) => insertDeviceListUpdate({ userNid, deviceId }, offset + index)),
      pruneDeviceListUpdates(userNid, E2E_LIMITS.updatesKept),
      setDeviceListChange(userNid, last),
    ],
    positions,
    publish: (first) => deps.e2eKeys.deviceLists.changed({ position: first + last, userNid, readerNid: undefined }),
  }
}

/** The devices of a user of another server changed: those who share a room with them are told. */
export function announceRemoteUser(deps: Announcing, userNid: number, offset = 0): Announcement {
  return {
    statements: [setDeviceListChange(userNid, offset)],
    positions: 1,
    publish: (first) => deps.e2eKeys.deviceLists.changed({ position: first + offset, userNid, readerNid: undefined }),
  }
}

/** What one user sees of another's keys (or of their own) changed, and nobody else sees it. */
export function announcePrivately(
  deps: Announcing,
  change: { readonly readerNid: number; readonly userNid: number },
  offset = 0,
): Announcement {
  return {
    statements: [setPrivateKeyChange(change, offset)],
    positions: 1,
    publish: (first) => deps.e2eKeys.deviceLists.changed({ position: first + offset, ...change }),
  }
}
