/**
 * The one writer of each room. Decisions that wait for a room are made together, on one head, and committed together:
 * load → decide → commit, with nothing awaited inside a decision (DESIGN 3 to 5).
 */
import { ExpectationFailed } from '@holdfast/platform/database/database'
import { matrixError } from '@holdfast/protocol/errors'
import type { RoomRules } from '@holdfast/protocol/room-version/rules'
import type { Homeserver } from '../homeserver.ts'
import { openNidAllocator } from '../storage/nids.ts'
import { membershipChanges, statementsOfDraft } from './commit-draft.ts'
import { prefetch, type Needs, type PrefetchDeps, type Prefetched } from './prefetch.ts'
import { RoomDraft } from './room-draft.ts'
import type { RoomHead } from './room-heads.ts'

export type Decision<T> = {
  /** Announces what `decide` may add and read. */
  prepare(head: RoomHead): Needs | Promise<Needs>
  /** Adds events to the draft, or throws the refusal. Synchronous; may be made again if another decision spoils the commit. */
  decide(draft: RoomDraft): T
}

export type NewRoom = { readonly rules: RoomRules; readonly needs: Needs; readonly roomId: RoomDraft['room']['roomId'] }

export type RoomQueue = {
  /** Resolves with what `decide` returned, after its events are on disk. */
  run<T>(roomNid: number, decision: Decision<T>): Promise<T>
  /** A room that nobody knows yet: its decision is committed whole or not at all. */
  create<T>(room: NewRoom, decide: (draft: RoomDraft) => T): Promise<T>
}

type Job = {
  readonly decision: Decision<unknown>
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
}

/** Decisions committed together; more wait for the next round, so that one room does not hold the event loop. */
const DECISIONS_PER_ROUND_MAX = 64
/** Decisions that may wait for one room. */
const WAITING_MAX = 2_000

type QueueDeps = Pick<
  Homeserver,
  'db' | 'dictionary' | 'events' | 'states' | 'heads' | 'memberships' | 'streams' | 'serverName' | 'random'
>

export function openRoomQueue(deps: QueueDeps): RoomQueue {
  const waiting = new Map<number, Job[]>()
  const prefetchDeps: PrefetchDeps = {
    dictionary: deps.dictionary,
    events: deps.events,
    eventNids: openNidAllocator(deps.db, 'event'),
    stateNids: openNidAllocator(deps.db, 'state'),
  }
  const roomNids = openNidAllocator(deps.db, 'room')

  function run<T>(roomNid: number, decision: Decision<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const job: Job = { decision, resolve: resolve as (value: unknown) => void, reject }
      const jobs = waiting.get(roomNid)
      if (jobs === undefined) {
        waiting.set(roomNid, [job])
        void drain(roomNid)
      } else if (jobs.length >= WAITING_MAX) {
        reject(
          matrixError('M_LIMIT_EXCEEDED', 'This room is busy. Try again in a second.', {
            extra: { retry_after_ms: 1000 },
          }),
        )
      } else {
        jobs.push(job)
      }
    })
  }

  /** Ends when nobody waits for the room; never rejects. */
  async function drain(roomNid: number): Promise<void> {
    for (;;) {
      const jobs = waiting.get(roomNid)!
      if (jobs.length === 0) break
      const round = jobs.splice(0, DECISIONS_PER_ROUND_MAX)
      try {
        await decideTogether(roomNid, round)
      } catch (error) {
        deps.heads.drop(roomNid)
        for (const job of round) job.reject(error)
      }
    }
    waiting.delete(roomNid)
  }

  async function decideTogether(roomNid: number, jobs: readonly Job[]): Promise<void> {
    const head = await deps.heads.byNid(roomNid)
    const { ready, needs } = await announced(head, jobs)
    if (ready.length === 0) return
    const room = { rules: head.rules, state: head.state.map }
    let rest = ready
    while (rest.length > 0) {
      const prefetched = await prefetch(prefetchDeps, room, needs)
      rest = await commitRound(head, prefetched, rest)
    }
  }

  /** Decides and commits; the answer is who has to decide again because one side statement spoiled the commit. */
  async function commitRound(head: RoomHead, prefetched: Prefetched, jobs: readonly Job[]): Promise<readonly Job[]> {
    const draft = new RoomDraft(deps, head, head, prefetched)
    const decided: { job: Job; value: unknown; sidesEnd: number }[] = []
    for (const job of jobs) {
      const undo = draft.mark()
      try {
        decided.push({ job, value: job.decision.decide(draft), sidesEnd: draft.sides.length })
      } catch (error) {
        undo()
        job.reject(error)
      }
    }
    if (draft.events.length > 0) {
      const spoiler = await commit(draft, prefetched)
      if (spoiler !== undefined) {
        const guilty = decided.find(({ sidesEnd }) => spoiler.side < sidesEnd)!
        guilty.job.reject(spoiler.error)
        return decided.filter((entry) => entry !== guilty).map(({ job }) => job)
      }
    } else if (draft.sides.length > 0) {
      throw new Error('side statements need an event to be committed with')
    }
    for (const { job, value } of decided) job.resolve(value)
    return []
  }

  /** undefined: committed. Otherwise which side statement broke its expectation, and what that means. */
  async function commit(draft: RoomDraft, prefetched: Prefetched): Promise<{ side: number; error: Error } | undefined> {
    const statements = statementsOfDraft(draft, prefetched)
    try {
      await deps.streams.commit(statements, {
        positions: draft.events.length,
        publish: (firstPosition) => publish(draft, prefetched, firstPosition),
      })
      return undefined
    } catch (error) {
      if (!(error instanceof ExpectationFailed)) throw error
      const side = error.index - (statements.length - draft.sides.length)
      const broken = side >= 0 ? draft.sides[side]?.broken : undefined
      if (broken === undefined) throw error
      return { side, error: broken() }
    }
  }

  /** What is in memory follows what is on disk; then the followers are woken. */
  function publish(draft: RoomDraft, prefetched: Prefetched, firstPosition: number): void {
    const { roomNid } = draft.room
    const members = draft.head?.members ?? { joined: new Set<number>(), invited: new Set<number>() }
    for (const { event, positionOffset, state, changesState } of draft.events) {
      deps.events.remember({ ...event, position: firstPosition + positionOffset })
      if (changesState) deps.states.remember(state)
    }
    for (const nid of draft.redactedNids) deps.events.redacted(nid)
    const changes = membershipChanges(draft, prefetched)
    for (const { userNid, membership } of changes) {
      deps.memberships.changed(userNid)
      members.joined.delete(userNid)
      members.invited.delete(userNid)
      if (membership === 'join') members.joined.add(userNid)
      if (membership === 'invite') members.invited.add(userNid)
    }
    const lastPosition = firstPosition + draft.events.length - 1
    deps.heads.replace({
      roomNid,
      roomId: draft.roomId,
      version: draft.room.version,
      rules: draft.room.rules,
      state: draft.state,
      extremities: draft.tips.map((tip) => ({ ...tip, position: lastPosition })),
      depth: draft.depth,
      lastPosition,
      members,
    })
    deps.streams.roomChanged({
      roomNid,
      position: lastPosition,
      joined: members.joined,
      membershipChanged: changes.map((change) => change.userNid),
    })
  }

  async function create<T>(room: NewRoom, decide: (draft: RoomDraft) => T): Promise<T> {
    const [roomNid] = await roomNids.take(1)
    const prefetched = await prefetch(prefetchDeps, { rules: room.rules, state: undefined }, [room.needs])
    const draftRoom = { roomNid: roomNid!, roomId: room.roomId, version: room.rules.version, rules: room.rules }
    const draft = new RoomDraft(deps, draftRoom, undefined, prefetched)
    const value = decide(draft)
    const spoiler = await commit(draft, prefetched)
    if (spoiler !== undefined) throw spoiler.error
    return value
  }

  return { run, create }
}

/** Asks each decision for its needs; who cannot say is refused. */
async function announced(
  head: RoomHead,
  jobs: readonly Job[],
): Promise<{ readonly ready: readonly Job[]; readonly needs: readonly Needs[] }> {
  const ready: Job[] = []
  const needs: Needs[] = []
  for (const job of jobs) {
    try {
      needs.push(await job.decision.prepare(head))
      ready.push(job)
    } catch (error) {
      job.reject(error)
    }
  }
  return { ready, needs }
}
