/** Presence of other servers' users, as their servers say. Who is not heard of for long is offline. */
import type { Clock } from '@holdfast/platform/clock/clock'
import type { Database } from '@holdfast/platform/database/database'
import { originalText } from '@holdfast/platform/database/text'
import type { Log } from '@holdfast/platform/log/log'
import { TIME_LIMITS } from '@holdfast/protocol/limits'
import { presenceOfCode, presenceRows, type PresenceRow } from '../storage/presence.ts'
import type { PresenceTracker, Said } from './tracker.ts'

export type RemotePresence = Said & { readonly userNid: number; readonly lastActiveMs: number }

export type RemotePresences = Disposable & {
  /** Users whose server says this of them. Resolves when what is new is on disk. */
  said(users: readonly RemotePresence[]): Promise<void>
  /** Call at the start with those who were not offline: their servers have as long as ever to say something. */
  resume(userNids: readonly number[]): void
}

/** Other servers repeat what they said before that. */
const SILENCE_MS_MAX = TIME_LIMITS.presenceOfflineMs
const EXPIRED_AT_ONCE = 200
const PAUSE_MS_MIN = 1_000

export type RemotePresenceDeps = {
  readonly db: Database
  readonly clock: Clock
  readonly log: Log
  readonly presence: Pick<PresenceTracker, 'setRemote'>
}

export function openRemotePresence(deps: RemotePresenceDeps): RemotePresences {
  /** When those who are not offline were heard of last, the longest silent first. */
  const heard = new Map<number, number>()
  let timer: Disposable | undefined
  let isStopped = false

  function hear(userNid: number, isOffline: boolean): void {
    heard.delete(userNid)
    if (!isOffline) heard.set(userNid, deps.clock.monotonicMs())
    schedule()
  }

  function schedule(): void {
    const [oldest] = heard.values()
    if (timer !== undefined || oldest === undefined || isStopped) return
    const leftMs = oldest + SILENCE_MS_MAX - deps.clock.monotonicMs()
    timer = deps.clock.after(Math.max(leftMs, PAUSE_MS_MIN), () => {
      timer = undefined
      expire()
        .catch((error: Error) => deps.log.warn({ error: error.message }, 'cannot end the presence of remote users'))
        .finally(schedule)
    })
  }

  async function expire(): Promise<void> {
    const before = deps.clock.monotonicMs() - SILENCE_MS_MAX
    const silent = [...heard].filter(([, atMs]) => atMs <= before).slice(0, EXPIRED_AT_ONCE)
    if (silent.length === 0) return
    const rows = await presenceRows(
      deps.db,
      silent.map(([userNid]) => userNid),
    )
    await deps.presence.setRemote(rows.map(offline))
    for (const [userNid, atMs] of silent) if (heard.get(userNid) === atMs) heard.delete(userNid)
  }

  return {
    said: async (users) => {
      const known = new Map(
        (
          await presenceRows(
            deps.db,
            users.map(({ userNid }) => userNid),
          )
        ).map((row) => [row.user_nid, row]),
      )
      const news = users.filter((user) => isNews(user, known.get(user.userNid)))
      if (news.length > 0) await deps.presence.setRemote(news)
      for (const { userNid, state } of users) hear(userNid, state === 'offline')
    },
    resume: (userNids) => {
      for (const userNid of userNids) hear(userNid, false)
    },
    [Symbol.dispose]: () => {
      isStopped = true
      timer?.[Symbol.dispose]()
    },
  }
}

/** Of somebody who was never seen, that they are offline says nothing. */
function isNews({ state, statusMessage }: RemotePresence, row: PresenceRow | undefined): boolean {
  if (row === undefined) return state !== 'offline' || statusMessage !== undefined
  return presenceOfCode(row.state) !== state || statusIn(row) !== statusMessage
}

function offline(row: PresenceRow): RemotePresence {
  const { user_nid: userNid, last_active_ms: lastActiveMs } = row
  return { userNid, state: 'offline', statusMessage: statusIn(row), lastActiveMs }
}

function statusIn({ status_message: status }: PresenceRow): string | undefined {
  return status === null ? undefined : originalText(status)
}
