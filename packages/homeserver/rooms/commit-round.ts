/** One round of a room: its waiting decisions are made on one head and committed in one transaction. */
import { CommitOutcomeUnknown, ExpectationFailed } from '@holdfast/platform/database/database'
import type { Homeserver } from '../homeserver.ts'
import { statementsOfDraft } from './commit-draft.ts'
import type { Prefetched } from './prefetch.ts'
import { forgetDraft, publishDraft, type PublishDeps } from './publish-draft.ts'
import { RoomDraft } from './room-draft.ts'
import type { RoomHead } from './room-heads.ts'

export type RoundDeps = PublishDeps & Pick<Homeserver, 'serverName' | 'random'>

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
  round: { readonly head: RoomHead; readonly prefetched: Prefetched; readonly jobs: readonly Waiting[] },
): Promise<readonly Waiting[]> {
  const draft = new RoomDraft(deps, round.head, round.head, round.prefetched)
  const decided = decideAll(draft, round.jobs)
  const spoiled = await commitDraft(deps, draft, round.prefetched)
  if (spoiled === undefined) {
    for (const { job, value } of decided) job.resolve(value)
    return []
  }
  const guilty = decided.find(({ sidesEnd }) => spoiled.side < sidesEnd)!
  guilty.job.reject(spoiled.error)
  const rest = new Set<Job>(decided.filter((entry) => entry !== guilty).map(({ job }) => job))
  return round.jobs.filter((job) => rest.has(job))
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
export async function commitDraft(
  deps: PublishDeps,
  draft: RoomDraft,
  prefetched: Prefetched,
): Promise<Spoiled | undefined> {
  if (draft.events.length === 0) {
    if (draft.sides.length > 0) throw new Error('side statements need an event to be committed with')
    return undefined
  }
  const statements = statementsOfDraft(draft, prefetched)
  try {
    await deps.streams.commit(statements, {
      positions: draft.events.length,
      publish: (firstPosition) => publishDraft(deps, draft, { prefetched, firstPosition }),
    })
    return undefined
  } catch (error) {
    if (error instanceof CommitOutcomeUnknown) forgetDraft(deps, draft, prefetched)
    if (!(error instanceof ExpectationFailed)) throw error
    const side = error.index - (statements.length - draft.sides.length)
    const broken = side >= 0 ? draft.sides[side]?.broken : undefined
    if (broken === undefined) throw error
    return { side, error: broken() }
  }
}
