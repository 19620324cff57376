/** Walks through trees of rooms that a client has not finished: where the next page begins. */
import { LRUCache } from 'lru-cache'
import type { Clock } from '@holdfast/platform/clock/clock'
import type { Random } from '@holdfast/platform/random/random'
import { matrixError, type MatrixError } from '@holdfast/protocol/errors'
import type { RoomId } from '@holdfast/protocol/ids/brand'
import type { RemoteSummary } from './remote-space.ts'

export type WalkQuestion = {
  readonly roomId: RoomId
  readonly suggestedOnly: boolean
  readonly maxDepth: number | undefined
}

export type Stop = {
  readonly roomId: RoomId
  readonly depth: number
  /** Servers that may know the room. */
  readonly via: readonly string[]
  /** What the server of its parent said of the room. */
  readonly told: RemoteSummary | undefined
}

/** Never changed once it is kept, so that the same page can be asked for again. */
export type Walk = {
  readonly userNid: number
  readonly question: WalkQuestion
  /** The next one is the last of the list. */
  readonly stops: readonly Stop[]
  readonly seen: ReadonlySet<RoomId>
}

export type Walks = {
  keep(walk: Walk): string
  /** @throws {MatrixError} M_INVALID_PARAM: there is no such walk of this user, or it was another question */
  resume(token: string, of: Pick<Walk, 'userNid' | 'question'>): Walk
}

const KEPT_MS = 10 * 60_000
/** Stops and rooms seen, over all walks. */
const ENTRIES_MAX = 300_000
const WALK_COST = 20
const TOLD_COST = 10
const PER_USER_MAX = 10
const TOKEN_CHARACTERS = 24

type Kept = { readonly walk: Walk; readonly untilMs: number }

export function openWalks({ clock, random }: { readonly clock: Clock; readonly random: Random }): Walks {
  const tokensOf = new Map<number, string[]>()
  const kept = new LRUCache<string, Kept>({
    maxSize: ENTRIES_MAX,
    sizeCalculation: ({ walk }) => costOf(walk),
    dispose: ({ walk }, token) => forget(walk.userNid, token),
  })

  function forget(userNid: number, token: string): void {
    const left = (tokensOf.get(userNid) ?? []).filter((one) => one !== token)
    if (left.length === 0) tokensOf.delete(userNid)
    else tokensOf.set(userNid, left)
  }

  return {
    keep: (walk) => {
      const token = random.text(TOKEN_CHARACTERS)
      const tokens = [...(tokensOf.get(walk.userNid) ?? []), token]
      tokensOf.set(walk.userNid, tokens)
      kept.set(token, { walk, untilMs: clock.monotonicMs() + KEPT_MS })
      for (const old of tokens.slice(0, -PER_USER_MAX)) kept.delete(old)
      return token
    },
    resume: (token, { userNid, question }) => {
      const found = kept.get(token)
      if (found === undefined || found.walk.userNid !== userNid || clock.monotonicMs() > found.untilMs) {
        throw invalid('The token in `from` is not known here, or not any more. Begin again without it.')
      }
      const { roomId, suggestedOnly, maxDepth } = found.walk.question
      if (roomId !== question.roomId) throw invalid('The token in `from` belongs to another room.')
      if (suggestedOnly !== question.suggestedOnly || maxDepth !== question.maxDepth) {
        throw invalid('`suggested_only` and `max_depth` cannot change from page to page.')
      }
      return found.walk
    },
  }
}

function costOf({ stops, seen }: Walk): number {
  return WALK_COST + seen.size + stops.reduce((sum, { told }) => sum + (told === undefined ? 1 : TOLD_COST), 0)
}

function invalid(message: string): MatrixError {
  return matrixError('M_INVALID_PARAM', message)
}
