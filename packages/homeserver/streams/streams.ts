/**
 * Where rooms and users have newest changes on the one stream, and who waits for them (docs/ARCHITECTURE.md 6). Positions are
 * assigned by the database inside the commit; what is kept here is only a cache of them, and waking is only a hint:
 * whoever is woken reads storage again.
 */
import type { Clock } from '@holdfast/platform/clock/clock'
import {
  CommitOutcomeUnknown,
  type Committed,
  type Database,
  type Statement,
} from '@holdfast/platform/database/database'

export type RoomChange = {
  readonly roomNid: number
  readonly position: number
  /** Joined members, local and remote. */
  readonly joined: ReadonlySet<number>
  /** Users whose membership changed: they are told even if they are not in the room (any more). */
  readonly membershipChanged: readonly number[]
}

export type Streams = {
  /**
   * The one way to commit what takes positions. `publish` runs after the commit, in the order of positions and before
   * anybody can read a token that covers it: there caches are brought up to date and `roomChanged` and `userChanged`
   * are called. It must not throw.
   */
  commit(
    statements: readonly Statement[],
    options: { readonly positions: number; readonly publish: (firstPosition: number) => void },
  ): Promise<Committed>
  /** The newest position of which everything up to it is committed and published: what a sync may answer up to. */
  position(): number
  /** Resolves when `position()` has reached this. For rows that were read before they were published. */
  reached(position: number): Promise<void>
  /** Call in `publish`: something that syncs of this room show has changed. */
  roomChanged(change: RoomChange): void
  /** Call in `publish`: something that only this user's syncs show has changed. */
  userChanged(change: { readonly userNid: number; readonly position: number }): void
  /** Makes waiting syncs of these users look again: something has changed that is no room of theirs, nor of them alone. */
  wake(userNids: ReadonlySet<number>): void
  /** Newest known change of a room; at most `startPosition` if there was none since the start. */
  roomPosition(roomNid: number): number
  /** The same for what concerns a user alone. */
  userPosition(userNid: number): number
  /** Up to here changes may be in storage that are not known here: those before the start, or before a commit whose outcome is unknown. */
  readonly startPosition: number
  /**
   * Begin to listen before reading, then read, then `wait`: so nothing is missed between. An onlooker also hears of a
   * room that they are not in.
   */
  subscribe(userNid: number, onlooker?: { readonly roomNid: number }): Subscription
  /** How many wait now, for metrics. */
  waiting(): number
}

export type Subscription = Disposable & {
  /** Resolves when something changed since `subscribe` or the last `wait`, or after `timeoutMs`, or when aborted. */
  wait(options: { readonly timeoutMs: number; readonly signal: AbortSignal }): Promise<'changed' | 'timeout'>
}

type StreamDeps = { readonly clock: Clock; readonly db: Pick<Database, 'commit' | 'lastPosition'> }

const SETTLE_WAIT_MS = 1_000
/** After that the next commit settles it. */
const SETTLE_TRIES_MAX = 100

export function openStreams(deps: StreamDeps): Streams {
  let startPosition = deps.db.lastPosition()
  let published = startPosition
  const arrivals: { readonly position: number; readonly resolve: () => void }[] = []
  // One number for each room or user with a change since the start: small enough to keep for as long as we run.
  const roomPositions = new Map<number, number>()
  const userPositions = new Map<number, number>()
  const listeners: Listeners = new Map()
  const onlookers: Listeners = new Map()

  const wake = (userNid: number): void => wakeUser(listeners, userNid)
  const doubt = openDoubt(deps.clock, () => commit([], { positions: 1, publish: () => {} }))

  // Every commit with positions awaits the database here and nowhere else, so they go on in the order they resolve.
  async function commit(...[statements, options]: Parameters<Streams['commit']>): Promise<Committed> {
    const committed = await deps.db.commit(statements, { positions: options.positions }).catch((error: unknown) => {
      if (error instanceof CommitOutcomeUnknown) doubt.begin()
      throw error
    })
    const first = committed.firstPosition!
    const wasInDoubt = doubt.end()
    // Whatever was applied unseen came before this.
    if (wasInDoubt) startPosition = first - 1
    options.publish(first)
    published = first + options.positions - 1
    for (let index = arrivals.length - 1; index >= 0; index -= 1) {
      if (arrivals[index]!.position <= published) arrivals.splice(index, 1)[0]!.resolve()
    }
    // Nobody knows whom that concerned.
    if (wasInDoubt) for (const userNid of listeners.keys()) wake(userNid)
    return committed
  }

  return {
    commit,
    position: () => published,
    reached: (position) =>
      position <= published ? Promise.resolve() : new Promise((resolve) => arrivals.push({ position, resolve })),
    get startPosition() {
      return startPosition
    },
    roomChanged: ({ roomNid, position, joined, membershipChanged }) => {
      roomPositions.set(roomNid, Math.max(position, roomPositions.get(roomNid) ?? 0))
      for (const userNid of membershipChanged) {
        userPositions.set(userNid, Math.max(position, userPositions.get(userNid) ?? 0))
        if (!joined.has(userNid)) wake(userNid)
      }
      wakeRoom(listeners, joined)
      for (const listener of onlookers.get(roomNid) ?? []) listener()
    },
    userChanged: ({ userNid, position }) => {
      userPositions.set(userNid, Math.max(position, userPositions.get(userNid) ?? 0))
      wake(userNid)
    },
    wake: (userNids) => wakeRoom(listeners, userNids),
    roomPosition: (roomNid) => Math.max(roomPositions.get(roomNid) ?? 0, startPosition),
    userPosition: (userNid) => Math.max(userPositions.get(userNid) ?? 0, startPosition),
    subscribe: (userNid, onlooker) => {
      const places: Place[] = [{ listeners, key: userNid }]
      if (onlooker !== undefined) places.push({ listeners: onlookers, key: onlooker.roomNid })
      return subscription(deps.clock, places)
    },
    waiting: () => listeners.size,
  }
}

type Listeners = Map<number, Set<() => void>>
type Place = { readonly listeners: Listeners; readonly key: number }

function wakeUser(listeners: Listeners, userNid: number): void {
  for (const listener of listeners.get(userNid) ?? []) listener()
}

function wakeRoom(listeners: Listeners, joined: ReadonlySet<number>): void {
  if (listeners.size < joined.size) {
    for (const userNid of listeners.keys()) if (joined.has(userNid)) wakeUser(listeners, userNid)
  } else {
    for (const userNid of joined) if (listeners.has(userNid)) wakeUser(listeners, userNid)
  }
}

/** While a list may have been applied without being published: a commit behind it is tried, and ends the doubt. */
type Doubt = {
  begin(): void
  /** Call after each commit. @returns whether there was doubt */
  end(): boolean
}

function openDoubt(clock: Clock, commitNothing: () => Promise<unknown>): Doubt {
  let isOn = false
  function settleLater(tries: number): void {
    clock.after(SETTLE_WAIT_MS, () => {
      if (isOn && tries > 0) commitNothing().catch(() => settleLater(tries - 1))
    })
  }
  return {
    begin: () => {
      if (!isOn) settleLater(SETTLE_TRIES_MAX)
      isOn = true
    },
    end: () => {
      const was = isOn
      isOn = false
      return was
    },
  }
}

function subscription(clock: Clock, places: readonly Place[]): Subscription {
  let changed = false
  let notify: (() => void) | undefined
  const listener = (): void => {
    changed = true
    notify?.()
  }
  for (const { listeners, key } of places) {
    const there = listeners.get(key) ?? new Set()
    listeners.set(key, there.add(listener))
  }

  return {
    wait: ({ timeoutMs, signal }) =>
      new Promise((resolve) => {
        const finish = (outcome: 'changed' | 'timeout'): void => {
          notify = undefined
          timer[Symbol.dispose]()
          signal.removeEventListener('abort', expire)
          if (outcome === 'changed') changed = false
          resolve(outcome)
        }
        const expire = (): void => finish('timeout')
        const timer = clock.after(timeoutMs, expire)
        signal.addEventListener('abort', expire)
        notify = () => finish('changed')
        if (changed) finish('changed')
        else if (signal.aborted) finish('timeout')
      }),
    [Symbol.dispose]: () => {
      for (const { listeners, key } of places) {
        const there = listeners.get(key)
        there?.delete(listener)
        if (there?.size === 0) listeners.delete(key)
      }
    },
  }
}
