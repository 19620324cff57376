/**
 * The one writer of each room. Decisions that wait for a room are made together, on one head, and committed together:
 * load → decide → commit, with nothing awaited inside a decision (docs/ARCHITECTURE.md 3 to 5).
 */
import { matrixError } from '@holdfast/protocol/errors'
import type { RoomRules } from '@holdfast/protocol/room-version/rules'
import type { Homeserver } from '../homeserver.ts'
import { commitChanges, commitRound, type Job, type RoundDeps } from './commit-round.ts'
import { narrowHead } from './many-tips.ts'
import { prefetch, type Needs, type PrefetchDeps } from './prefetch.ts'
import { RoomDraft } from './room-draft.ts'
import type { RoomHead } from './room-heads.ts'

export type Decision<T> = {
  /** Announces what `decide` may add and read. */
  readonly prepare: (head: RoomHead) => Needs | Promise<Needs>
  /** Adds events to the draft, or throws the refusal. Synchronous; may be made again if another decision spoils the commit. */
  readonly decide: (draft: RoomDraft) => T
}

export type NewRoom = {
  readonly rules: RoomRules
  readonly needs: Needs
  readonly roomId: RoomDraft['room']['roomId']
}

export type RoomQueue = {
  /** Resolves with what `decide` returned, after its events are on disk. */
  run<T>(roomNid: number, decision: Decision<T>): Promise<T>
  /**
   * Work that has to look things up while nothing else changes the room, such as accepting events of other servers. It
   * must not wait for other servers. `head` is undefined for a room that is not stored yet.
   */
  turn<T>(roomNid: number, work: (head: RoomHead | undefined) => Promise<T>): Promise<T>
  /** A room that nobody knows yet: its decision is committed whole or not at all. */
  create<T>(room: NewRoom, decide: (draft: RoomDraft) => T): Promise<T>
}

type WaitingDecision = Job & { readonly prepare: Decision<unknown>['prepare'] }
type WaitingTurn = Omit<Job, 'decide'> & { readonly work: (head: RoomHead | undefined) => Promise<unknown> }
type WaitingJob = WaitingDecision | WaitingTurn

/** Decisions committed together; more wait for the next round, so that one room does not hold the event loop. */
const DECISIONS_PER_ROUND_MAX = 64
/** Decisions that may wait for one room. */
const WAITING_MAX = 2_000

type QueueDeps = RoundDeps & Pick<Homeserver, 'db' | 'nids'>

export function openRoomQueue(deps: QueueDeps): RoomQueue {
  const waiting = new Map<number, WaitingJob[]>()
  const { events: eventNids, states: stateNids, rooms: roomNids } = deps.nids
  const prefetchDeps: PrefetchDeps = { dictionary: deps.dictionary, events: deps.events, eventNids, stateNids }

  function enqueue(roomNid: number, job: WaitingJob): void {
    const jobs = waiting.get(roomNid)
    if (jobs === undefined) {
      waiting.set(roomNid, [job])
      void drain(roomNid)
    } else if (jobs.length >= WAITING_MAX) job.reject(tooBusy())
    else jobs.push(job)
  }

  /** Ends when nobody waits for the room; never rejects. */
  async function drain(roomNid: number): Promise<void> {
    const jobs = waiting.get(roomNid)!
    while (jobs.length > 0) {
      const round = nextRound(jobs)
      try {
        if ('work' in round[0]!) await takeTurn(roomNid, round[0])
        else await decideTogether(roomNid, round as readonly WaitingDecision[])
      } catch (error) {
        deps.heads.drop(roomNid)
        for (const job of round) job.reject(error)
      }
    }
    waiting.delete(roomNid)
  }

  async function takeTurn(roomNid: number, { work, resolve }: WaitingTurn): Promise<void> {
    resolve(await work(await deps.heads.find(roomNid)))
  }

  async function decideTogether(roomNid: number, jobs: readonly WaitingDecision[]): Promise<void> {
    const whole = await deps.heads.byNid(roomNid)
    const narrow = await narrowHead(deps, whole)
    const head = narrow?.head ?? whole
    const { ready, needs } = await announced(head, jobs)
    const room = { rules: head.rules, state: head.state.map }
    let rest = ready
    while (rest.length > 0) {
      const prefetched = await prefetch(prefetchDeps, room, needs)
      rest = await commitRound(deps, { head, narrow, prefetched, jobs: rest })
    }
  }

  return {
    run: <T>(roomNid: number, { prepare, decide }: Decision<T>): Promise<T> =>
      new Promise<T>((resolve, reject) => {
        enqueue(roomNid, { prepare, decide, resolve: resolve as (value: unknown) => void, reject })
      }),
    turn: <T>(roomNid: number, work: (head: RoomHead | undefined) => Promise<T>): Promise<T> =>
      new Promise<T>((resolve, reject) => {
        enqueue(roomNid, { work, resolve: resolve as (value: unknown) => void, reject })
      }),
    create: async (room, decide) => {
      const [roomNid] = await roomNids.take(1)
      const prefetched = await prefetch(prefetchDeps, { rules: room.rules, state: undefined }, [room.needs])
      const newRoom = { roomNid: roomNid!, roomId: room.roomId, version: room.rules.version, rules: room.rules }
      const draft = new RoomDraft(deps, newRoom, undefined, prefetched)
      const value = decide(draft)
      const spoiled = await commitChanges(deps, draft)
      if (spoiled !== undefined) throw spoiled.error
      return value
    },
  }
}

/** A turn alone, or as many decisions as may be made together. */
function nextRound(jobs: WaitingJob[]): readonly WaitingJob[] {
  const firstTurn = jobs.findIndex((job) => 'work' in job)
  const decisions = firstTurn === -1 ? jobs.length : firstTurn
  return jobs.splice(0, Math.min(Math.max(decisions, 1), DECISIONS_PER_ROUND_MAX))
}

function tooBusy(): Error {
  return matrixError('M_LIMIT_EXCEEDED', 'This room is busy. Try again in a second.', {
    extra: { retry_after_ms: 1000 },
  })
}

/** Asks each decision for its needs; who cannot say is refused. */
async function announced(
  head: RoomHead,
  jobs: readonly WaitingDecision[],
): Promise<{ readonly ready: readonly WaitingDecision[]; readonly needs: readonly Needs[] }> {
  const ready: WaitingDecision[] = []
  const needs: Needs[] = []
  for (const job of jobs) {
    try {
      needs.push(await job.prepare(head))
      ready.push(job)
    } catch (error) {
      job.reject(error)
    }
  }
  return { ready, needs }
}
