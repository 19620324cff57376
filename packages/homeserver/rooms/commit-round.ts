/** One round of a room: its waiting decisions are made on one head and committed in one transaction. */
import { yieldToLoop } from '@holdfast/platform/clock/yield'
import { CommitOutcomeUnknown, ExpectationFailed } from '@holdfast/platform/database/database'
import type { Homeserver } from '../homeserver.ts'
import { positionsOf, statementsOf } from './commit-draft.ts'
import { widened, type NarrowHead, type TipsDeps } from './many-tips.ts'
import type { Prefetched } from './prefetch.ts'
import { forgetChanges, publishChanges, rememberEvents, type PublishDeps } from './publish-draft.ts'
import type { RoomChanges } from './room-changes.ts'
import { RoomDraft } from './room-draft.ts'
import type { RoomHead } from './room-heads.ts'

export type RoundDeps = PublishDeps & TipsDeps & Pick<Homeserver, 'random'>

/** A decision, and the one who waits for it. */
export type Job = {
  readonly decide: (draft: RoomDraft) => unknown
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
}

type Decided = { readonly job: Job; readonly value: unknown; readonly sidesEnd: number }

/** @returns the jobs that have to be decided again, because one of the others spoiled the commit */
export async function commitRound<Waiting extends Job>(
  deps: RoundDeps,
  round: {
    readonly head: RoomHead
    readonly narrow: NarrowHead | undefined
    readonly prefetched: Prefetched
    readonly jobs: readonly Waiting[]
  },
): Promise<readonly Waiting[]> {
  const draft = new RoomDraft(deps, round.head, round.head, round.prefetched)
  const decided = decideAll(draft, round.jobs)
  const changes = round.narrow === undefined ? draft : await widened(deps, draft, round.narrow)
  const spoiled = await commitChanges(deps, changes)
  if (spoiled === undefined) {
    void resolveInSlices(decided)
    return []
  }
  const guilty = decided.find(({ sidesEnd }) => spoiled.side < sidesEnd)!
  guilty.job.reject(spoiled.error)
  const rest = new Set<Job>(decided.filter((entry) => entry !== guilty).map(({ job }) => job))
  return round.jobs.filter((job) => rest.has(job))
}

/** Answered in one turn of the event loop. */
const RESOLVED_PER_TURN = 16

/** The next round does not wait for it. Never rejects. */
async function resolveInSlices(decided: readonly Decided[]): Promise<void> {
  for (const [index, { job, value }] of decided.entries()) {
    if (index > 0 && index % RESOLVED_PER_TURN === 0) await yieldToLoop()
    job.resolve(value)
  }
}

/** Refusals go to whoever asked, and leave nothing in the draft. */
function decideAll(draft: RoomDraft, jobs: readonly Job[]): readonly Decided[] {
  const decided: Decided[] = []
  for (const job of jobs) {
    const undo = draft.mark()
    try {
      decided.push({ job, value: job.decide(draft), sidesEnd: draft.sides.length })
    } catch (error) {
      undo()
      job.reject(error)
    }
  }
  return decided
}

/** A side statement that broke its expectation: which, and what that means. */
export type Spoiled = { readonly side: number; readonly error: Error }

/** undefined: committed and published, or there was nothing to commit. */
export async function commitChanges(deps: PublishDeps, changes: RoomChanges): Promise<Spoiled | undefined> {
  if (changes.events.length === 0) {
    if (changes.sides.length > 0) throw new Error('side statements need an event to be committed with')
    return undefined
  }
  const statements = statementsOf(changes, deps.serverName)
  const positions = positionsOf(changes)
  try {
    if (positions === 0) {
      await deps.db.commit(statements)
      rememberEvents(deps, changes, 0)
    } else {
      const publish = (firstPosition: number): void => publishChanges(deps, changes, firstPosition)
      await deps.streams.commit(statements, { positions, publish })
    }
    return undefined
  } catch (error) {
    if (error instanceof CommitOutcomeUnknown) forgetChanges(deps, changes)
    if (!(error instanceof ExpectationFailed)) throw error
    const side = error.index - (statements.length - changes.sides.length)
    const broken = side >= 0 ? changes.sides[side]?.broken : undefined
    if (broken === undefined) throw error
    return { side, error: broken() }
  }
}
