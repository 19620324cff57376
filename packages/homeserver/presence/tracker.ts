/**
 * Presence: of local users kept for each device, told for each user, written when it changes and at no other time.
 * <https://spec.matrix.org/v1.19/client-server-api/#presence>
 */
import type { Clock } from '@holdfast/platform/clock/clock'
import type { Database } from '@holdfast/platform/database/database'
import { originalText, storedText } from '@holdfast/platform/database/text'
import type { Log } from '@holdfast/platform/log/log'
import type { ServerName } from '@holdfast/protocol/ids/brand'
import { serverNameOf } from '@holdfast/protocol/ids/common'
import type { Requester } from '../accounts/requester.ts'
import type { Dictionary } from '../dictionary/dictionary.ts'
import {
  presenceOfCode,
  presenceRow,
  presentUsers,
  setPresenceRow,
  type PresenceRow,
  type PresenceState,
} from '../storage/presence.ts'
import type { Streams } from '../streams/streams.ts'
import { dropAbsent, nextChangeMs, stateOf, type DevicePresence } from './devices.ts'
import type { RemotePresence } from './remote-presence.ts'
import type { PresenceWaker } from './waker.ts'

export type Presence = {
  readonly state: PresenceState
  readonly statusMessage: string | undefined
  /** undefined: never. */
  readonly lastActiveMs: number | undefined
}

/** What a user says of themselves. */
export type Said = { readonly state: PresenceState; readonly statusMessage: string | undefined }

type Device = Pick<Requester, 'userNid' | 'deviceNid'>

/** In memory while the user is not offline. */
type User = {
  readonly userNid: number
  readonly devices: Map<number, DevicePresence>
  /** The last action of the user, on the monotonic clock and on the wall clock. */
  activeMs: number
  lastActiveMs: number
  statusMessage: string | undefined
  told: Said & { readonly atMs: number }
  timer: Disposable | undefined
  settling: Promise<void> | undefined
}

type Urgency = 'now' | 'soon'

/** What follows from syncs is told no more often, or clients that contradict each other would keep each other awake. */
const CHANGE_EVERY_MS = 1_000
const RETRY_MS = 10_000
/** Stands for whatever devices a user had before the start. */
const DEVICES_BEFORE = 0

export type TrackerDeps = {
  readonly db: Database
  readonly clock: Clock
  readonly log: Log
  readonly streams: Streams
  readonly waker: PresenceWaker
  readonly isEnabled: boolean
  readonly serverName: ServerName
  readonly dictionary: Pick<Dictionary, 'userIds'>
  /** Tells other servers. */
  readonly others?: PresenceListener | undefined
}

export type PresenceListener = {
  /** The presence of a local user has changed. */
  changed(userNid: number): void
  /** A local user was there before the start. */
  resumed(userNid: number): void
}

export class PresenceTracker implements Disposable {
  readonly isEnabled: boolean
  readonly #deps: TrackerDeps
  readonly #users = new Map<number, User>()
  readonly #loading = new Map<number, Promise<void>>()
  readonly #present = new Set<number>()
  #newestPosition: number

  constructor(deps: TrackerDeps) {
    this.#deps = deps
    this.isEnabled = deps.isEnabled
    this.#newestPosition = deps.streams.startPosition
  }

  /** Those who are not offline. */
  get present(): ReadonlySet<number> {
    return this.#present
  }

  /** Whether anybody's presence may have changed after a position. */
  mayHaveChanged(after: number): boolean {
    return this.#newestPosition > after
  }

  /** A device begins to sync; dispose of the answer when it ends. `offline` tells nothing of the user. */
  async syncing({ userNid, deviceNid }: Device, state: PresenceState): Promise<Disposable> {
    if (!this.isEnabled || state === 'offline') return { [Symbol.dispose]: () => {} }
    return this.#withUser(userNid, async (user) => {
      const device = this.#deviceOf(user, deviceNid, state)
      if (device.syncState !== state) {
        device.syncState = state
        device.state = state
        if (state === 'online') this.#bump(user)
      }
      device.syncs += 1
      await this.#settleInBackground(user)
      return { [Symbol.dispose]: () => this.#endSync(user, device) }
    })
  }

  #endSync(user: User, device: DevicePresence): void {
    device.syncs -= 1
    device.seenMs = this.#deps.clock.monotonicMs()
    void this.#settleInBackground(user)
  }

  /** What the user says. Resolves when it is on disk. */
  async set({ userNid, deviceNid }: Device, said: Said): Promise<void> {
    if (!this.isEnabled) return
    await this.#withUser(userNid, async (user) => {
      this.#deviceOf(user, deviceNid, said.state).state = said.state
      user.statusMessage = said.statusMessage
      if (said.state === 'online') this.#bump(user)
      // What is under way may rest for a while before it tells this.
      await user.settling
      await this.#settle(user, 'now')
    })
  }

  /** The user did something. */
  active(userNid: number): void {
    const user = this.#users.get(userNid)
    if (user === undefined) return
    this.#bump(user)
    for (const device of user.devices.values()) if (device.state === 'unavailable') device.state = 'online'
    if (user.told.state === 'unavailable') void this.#settleInBackground(user)
  }

  async of(userNid: number): Promise<Presence> {
    const row = this.isEnabled ? await presenceRow(this.#deps.db, userNid) : undefined
    return row === undefined ? { state: 'offline', statusMessage: undefined, lastActiveMs: undefined } : this.ofRow(row)
  }

  /** As it stands in a row, with what is known better in memory. */
  ofRow(row: PresenceRow): Presence {
    const lastActiveMs = Math.max(row.last_active_ms, this.#users.get(row.user_nid)?.lastActiveMs ?? 0)
    return { state: presenceOfCode(row.state), statusMessage: statusOf(row), lastActiveMs }
  }

  /**
   * Call at the start: who was there when the server stopped has a while to come back.
   * @returns users of other servers who were there
   */
  async resume(): Promise<readonly number[]> {
    if (!this.isEnabled) return []
    const { db, dictionary, serverName, others } = this.#deps
    const rows = await presentUsers(db)
    const userIds = await dictionary.userIds(rows.map((row) => row.user_nid))
    const remote: number[] = []
    for (const [index, row] of rows.entries()) {
      if (serverNameOf(userIds[index]!) !== serverName) {
        this.#present.add(row.user_nid)
        remote.push(row.user_nid)
        continue
      }
      if (this.#users.has(row.user_nid)) continue
      const user = this.#remember(row.user_nid, row)
      this.#deviceOf(user, DEVICES_BEFORE, user.told.state)
      others?.resumed(row.user_nid)
      void this.#settleInBackground(user)
    }
    return remote
  }

  /** What other servers say of their users, in one commit. */
  async setRemote(users: readonly RemotePresence[]): Promise<void> {
    if (users.length === 0) return
    await this.#deps.streams.commit(
      users.map(({ statusMessage, ...user }) =>
        setPresenceRow({ ...user, statusMessage: storedStatus(statusMessage) }),
      ),
      {
        positions: 1,
        publish: (position) => {
          for (const { userNid, state } of users) this.#published(userNid, state, position)
        },
      },
    )
  }

  [Symbol.dispose](): void {
    for (const user of this.#users.values()) user.timer?.[Symbol.dispose]()
  }

  /** Acts on what is known of the user, in the turn in which it is found: nobody forgets the user between. */
  async #withUser<T>(userNid: number, act: (user: User) => Promise<T>): Promise<T> {
    for (;;) {
      const user = this.#users.get(userNid)
      if (user !== undefined) return act(user)
      let running = this.#loading.get(userNid)
      if (running === undefined) {
        running = this.#load(userNid).finally(() => this.#loading.delete(userNid))
        this.#loading.set(userNid, running)
      }
      await running
    }
  }

  async #load(userNid: number): Promise<void> {
    const row = await presenceRow(this.#deps.db, userNid)
    if (!this.#users.has(userNid)) this.#remember(userNid, row)
  }

  #remember(userNid: number, row: PresenceRow | undefined): User {
    const { clock } = this.#deps
    const said = {
      state: row === undefined ? 'offline' : presenceOfCode(row.state),
      statusMessage: statusOf(row),
    } as const
    const user: User = {
      userNid,
      devices: new Map(),
      activeMs: clock.monotonicMs(),
      lastActiveMs: row?.last_active_ms ?? clock.nowMs(),
      statusMessage: said.statusMessage,
      told: { ...said, atMs: Number.NEGATIVE_INFINITY },
      timer: undefined,
      settling: undefined,
    }
    this.#users.set(userNid, user)
    if (said.state !== 'offline') this.#present.add(userNid)
    return user
  }

  #bump(user: User): void {
    user.activeMs = this.#deps.clock.monotonicMs()
    user.lastActiveMs = this.#deps.clock.nowMs()
  }

  #deviceOf(user: User, deviceNid: number, state: PresenceState): DevicePresence {
    let device = user.devices.get(deviceNid)
    if (device === undefined) {
      device = { state, syncState: undefined, syncs: 0, seenMs: 0 }
      user.devices.set(deviceNid, device)
    }
    device.seenMs = this.#deps.clock.monotonicMs()
    return device
  }

  /** Tells what is to be told, one commit at a time for each user. */
  #settle(user: User, urgency: Urgency): Promise<void> {
    user.settling ??= this.#settleUntilTold(user, urgency)
    return user.settling
  }

  async #settleUntilTold(user: User, urgency: Urgency): Promise<void> {
    await Promise.resolve()
    try {
      while (await this.#tellChange(user, urgency)) {
        // More may have changed meanwhile.
      }
    } catch (error) {
      user.settling = undefined
      throw error
    }
  }

  /** @returns whether to look again */
  async #tellChange(user: User, urgency: Urgency): Promise<boolean> {
    const nowMs = this.#deps.clock.monotonicMs()
    const state = stateOf(user, nowMs)
    const isTold = state === user.told.state && user.statusMessage === user.told.statusMessage
    const earliestMs = urgency === 'now' ? nowMs : Math.max(nowMs, user.told.atMs + CHANGE_EVERY_MS)
    if (!isTold && earliestMs <= nowMs) {
      await this.#tell(user, state)
      return true
    }
    // In the turn that looked: a change that comes later settles anew.
    user.settling = undefined
    this.#rest(user, isTold ? nextChangeMs(user, nowMs) : earliestMs)
    return false
  }

  async #tell(user: User, state: PresenceState): Promise<void> {
    const { streams, clock, others } = this.#deps
    const { userNid, statusMessage, lastActiveMs } = user
    const row = { userNid, state, statusMessage: storedStatus(statusMessage), lastActiveMs }
    await streams.commit([setPresenceRow(row)], {
      positions: 1,
      publish: (position) => {
        user.told = { state, statusMessage, atMs: clock.monotonicMs() }
        this.#published(userNid, state, position)
        others?.changed(userNid)
      },
    })
  }

  #published(userNid: number, state: PresenceState, position: number): void {
    this.#newestPosition = position
    if (state === 'offline') this.#present.delete(userNid)
    else this.#present.add(userNid)
    this.#deps.streams.userChanged({ userNid, position })
    this.#deps.waker.changed(userNid)
  }

  /** Looks again at a time; who has nothing to wait for is forgotten. */
  #rest(user: User, untilMs: number | undefined): void {
    const nowMs = this.#deps.clock.monotonicMs()
    dropAbsent(user.devices, nowMs)
    user.timer?.[Symbol.dispose]()
    user.timer = undefined
    if (untilMs !== undefined) {
      user.timer = this.#deps.clock.after(untilMs - nowMs, () => void this.#settleInBackground(user))
    } else if (user.devices.size === 0) this.#users.delete(user.userNid)
  }

  /** Presence is no reason to fail anything: what cannot be written now is tried again. */
  async #settleInBackground(user: User): Promise<void> {
    try {
      await this.#settle(user, 'soon')
    } catch (error) {
      this.#deps.log.warn({ error: (error as Error).message }, 'cannot tell of a change of presence')
      this.#rest(user, this.#deps.clock.monotonicMs() + RETRY_MS)
    }
  }
}

function statusOf(row: PresenceRow | undefined): string | undefined {
  const status = row?.status_message ?? undefined
  return status === undefined ? undefined : originalText(status)
}

function storedStatus(status: string | undefined): string | undefined {
  return status === undefined ? undefined : storedText(status)
}
