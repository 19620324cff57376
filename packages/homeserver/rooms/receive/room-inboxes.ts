/**
 * What arrives for a room from other servers is worked off one after the other, waiting for other servers included; what is
 * sent here does not wait for that, as it goes through the room's queue alone.
 */
import { matrixError } from '@holdfast/protocol/errors'
import type { RoomId } from '@holdfast/protocol/ids/brand'
import type { Clock } from '@holdfast/platform/clock/clock'

export type RoomInboxes = {
  /** @throws {MatrixError} M_LIMIT_EXCEEDED if too much waits for the room already, or it waited for too long */
  run<T>(roomId: RoomId, work: () => Promise<T>, options?: InboxOptions): Promise<T>
  /** How many pieces of work are there, for metrics. */
  waiting(): number
}

export type InboxOptions = {
  /** Work that may take minutes, as a join does, says so: then what waits behind it is refused after a while. */
  readonly isLong?: boolean
  /** Refused after that, whatever it waits for: whoever asks for it can do without. */
  readonly waitMsMax?: number
}

const WAITING_MAX = 100
/** Behind long work. Servers that wait for an answer give up after a minute. */
const WAIT_MS_MAX = 45_000
const BEING_JOINED = 'This room is being joined or filled in. Try again in some seconds.'

type Inbox = {
  last: Promise<unknown>
  waiting: number
  /** When the work that goes on now began, if it is long. */
  longSinceMs: number | undefined
}

/** @returns undefined if its turn would come too late */
export async function runInTime<T>(
  inboxes: Pick<RoomInboxes, 'run'>,
  { roomId, waitMsMax }: { readonly roomId: RoomId; readonly waitMsMax: number },
  work: () => Promise<T>,
): Promise<T | undefined> {
  let hasBegun = false
  const begin = (): Promise<T> => {
    hasBegun = true
    return work()
  }
  try {
    return await inboxes.run(roomId, begin, { waitMsMax })
  } catch (error) {
    if (hasBegun) throw error
    return undefined
  }
}

export function openRoomInboxes(clock: Clock): RoomInboxes {
  const inboxes = new Map<RoomId, Inbox>()

  function add<T>(roomId: RoomId, inbox: Inbox, work: () => Promise<T>): Promise<T> {
    inboxes.set(roomId, inbox)
    inbox.waiting += 1
    const done = inbox.last.then(work).finally(() => {
      inbox.waiting -= 1
      if (inbox.waiting === 0) inboxes.delete(roomId)
    })
    inbox.last = done.catch(() => undefined)
    return done
  }

  /** Behind work that may be long. */
  function addInTime<T>(
    roomId: RoomId,
    { inbox, waitMsMax }: { readonly inbox: Inbox; readonly waitMsMax: number | undefined },
    work: () => Promise<T>,
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      // Forgotten when it is refused: whoever asked will ask again.
      let waiting: (() => Promise<T>) | undefined = work
      let timer: Disposable | undefined
      const refuseLater = (waitMs: number): void => {
        timer = clock.after(waitMs, () => {
          if (inbox.longSinceMs === undefined && waitMsMax === undefined) {
            refuseLater(WAIT_MS_MAX)
          } else {
            waiting = undefined
            reject(busy(BEING_JOINED))
          }
        })
      }
      const started = async (): Promise<void> => {
        timer?.[Symbol.dispose]()
        if (waiting !== undefined) resolve(await waiting())
      }
      refuseLater(Math.min(waitMsOf(inbox), waitMsMax ?? WAIT_MS_MAX))
      add(roomId, inbox, started).catch(reject)
    })
  }

  function waitMsOf({ longSinceMs }: Inbox): number {
    return longSinceMs === undefined ? WAIT_MS_MAX : Math.max(longSinceMs + WAIT_MS_MAX - clock.monotonicMs(), 0)
  }

  return {
    run: (roomId, work, { isLong = false, waitMsMax } = {}) => {
      const inbox = inboxes.get(roomId) ?? { last: Promise.resolve(), waiting: 0, longSinceMs: undefined }
      if (inbox.waiting >= WAITING_MAX) {
        return Promise.reject(busy('Too much arrives for this room at once. Try again in a second.'))
      }
      const marked = isLong ? () => asLong(inbox, clock, work) : work
      return inbox.waiting === 0 ? add(roomId, inbox, marked) : addInTime(roomId, { inbox, waitMsMax }, marked)
    },
    waiting: () => [...inboxes.values()].reduce((sum, { waiting }) => sum + waiting, 0),
  }
}

async function asLong<T>(inbox: Inbox, clock: Clock, work: () => Promise<T>): Promise<T> {
  inbox.longSinceMs = clock.monotonicMs()
  try {
    return await work()
  } finally {
    inbox.longSinceMs = undefined
  }
}

function busy(message: string): Error {
  return matrixError('M_LIMIT_EXCEEDED', message, { extra: { retry_after_ms: 1000 } })
}
