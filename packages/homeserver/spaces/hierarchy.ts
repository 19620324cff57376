/** A page of a tree of rooms, depth first, as one user may see it. <https://spec.matrix.org/v1.19/client-server-api/#discovering-rooms-within-spaces> */
import { matrixError } from '@holdfast/protocol/errors'
import type { RoomId, ServerName } from '@holdfast/protocol/ids/brand'
import { parseServerName } from '@holdfast/protocol/ids/server-name'
import { OUTPUT_LIMITS } from '@holdfast/protocol/limits'
import type { Requester } from '../accounts/requester.ts'
import type { Homeserver } from '../homeserver.ts'
import { candidateServers } from '../rooms/remote/candidates.ts'
import { isResident } from '../rooms/room-heads.ts'
import type { RemoteSpaces } from './remote-spaces.ts'
import type { RemoteSummary } from './remote-space.ts'
import { roomSummary, type RoomSummary } from './room-summary.ts'
import { spaceChildren, strippedChild } from './space-children.ts'
import { userCouldEnter, userCouldEnterRemote } from './user-access.ts'
import type { Stop, Walk, WalkQuestion, Walks } from './walks.ts'

export type Spaces = { readonly walks: Walks; readonly remote: RemoteSpaces }

export type HierarchyDeps = Pick<
  Homeserver,
  'db' | 'clock' | 'heads' | 'events' | 'dictionary' | 'memberships' | 'serverName' | 'spaces'
>

export type PageQuestion = WalkQuestion & {
  readonly limit: number | undefined
  readonly from: string | undefined
}

type HierarchyRoom = (RoomSummary | RemoteSummary) & { readonly children_state: readonly object[] }

export type HierarchyPage = { readonly rooms: readonly HierarchyRoom[]; readonly next_batch?: string }

/** What one page may cost. A page that ends early has a token for the rest. */
const PAGE = { stopsMax: 300, remoteMax: 30, ms: 15_000, charactersMax: 4_000_000 } as const
/** A walk ends here, however the spaces name one another. */
const WALK = { roomsMax: 5_000, stopsMax: 5_000, depthMax: 50 } as const
/** Rooms elsewhere that are asked for before their turn. */
const AHEAD_MAX = 5

/** @throws {MatrixError} M_FORBIDDEN if the user may not see the first room, M_INVALID_PARAM for a token that is none */
export async function hierarchyPage(
  deps: HierarchyDeps,
  requester: Requester,
  question: PageQuestion,
): Promise<HierarchyPage> {
  const { roomId, suggestedOnly, maxDepth, from, limit = OUTPUT_LIMITS.hierarchyRoomsMax } = question
  const asked = { userNid: requester.userNid, question: { roomId, suggestedOnly, maxDepth } }
  const walk = from === undefined ? await begin(deps, asked) : deps.spaces.walks.resume(from, asked)
  const page = openPage(deps, requester, walk)
  const roomsMax = Math.min(limit, OUTPUT_LIMITS.hierarchyRoomsMax)
  while (page.rooms.length < roomsMax && !page.isSpent()) {
    const stop = page.stops.pop()
    if (stop === undefined) break
    if (page.seen.has(stop.roomId)) continue
    page.seen.add(stop.roomId)
    await visit(page, stop)
  }
  if (from === undefined && page.rooms.length === 0) throw notSeen()
  const { rooms, stops, seen } = page
  const isOver = stops.length === 0 || seen.size >= WALK.roomsMax
  return isOver ? { rooms } : { rooms, next_batch: deps.spaces.walks.keep({ ...asked, stops, seen }) }
}

async function begin(deps: HierarchyDeps, asked: Pick<Walk, 'userNid' | 'question'>): Promise<Walk> {
  const { roomId } = asked.question
  const head = await deps.heads.byId(roomId)
  const via = await candidateServers(deps, { roomId, head, named: [], userNid: asked.userNid })
  return { ...asked, stops: [{ roomId, depth: 0, via, told: undefined }], seen: new Set() }
}

type Page = {
  readonly deps: HierarchyDeps
  readonly requester: Requester
  readonly question: WalkQuestion
  readonly rooms: HierarchyRoom[]
  readonly stops: Stop[]
  readonly seen: Set<RoomId>
  /** What other servers say, asked for once in a page. */
  readonly told: Map<RoomId, ReturnType<RemoteSpaces['of']>>
  isSpent(): boolean
  add(room: HierarchyRoom): void
  /** Counts a question to other servers. */
  asked(): void
}

function openPage(deps: HierarchyDeps, requester: Requester, { question, stops, seen }: Walk): Page {
  const endMs = deps.clock.monotonicMs() + PAGE.ms
  const rooms: HierarchyRoom[] = []
  const before = seen.size
  const seenNow = new Set(seen)
  let [characters, remote] = [0, 0]
  return {
    deps,
    requester,
    question,
    rooms,
    stops: [...stops],
    seen: seenNow,
    told: new Map(),
    isSpent: () =>
      seenNow.size - before >= PAGE.stopsMax ||
      seenNow.size >= WALK.roomsMax ||
      remote >= PAGE.remoteMax ||
      characters >= PAGE.charactersMax ||
      deps.clock.monotonicMs() >= endMs,
    add: (room) => {
      rooms.push(room)
      characters += JSON.stringify(room).length
    },
    asked: () => void (remote += 1),
  }
}

/** What is known here counts above what others say. */
async function visit(page: Page, stop: Stop): Promise<void> {
  const { deps, requester } = page
  const head = await deps.heads.byId(stop.roomId)
  if (head === undefined || !isResident(head)) return visitRemote(page, stop)
  if (!(await userCouldEnter(deps, head, requester))) return
  const all = await spaceChildren(deps, head.state.map)
  const children = page.question.suggestedOnly ? all.filter(({ isSuggested }) => isSuggested) : all
  page.add({ ...(await roomSummary(deps, head)), children_state: children.map(strippedChild) })
  await descend(
    page,
    stop,
    children.map(({ roomId, via }) => ({ roomId, via, told: undefined })),
  )
}

async function visitRemote(page: Page, stop: Stop): Promise<void> {
  const { deps, requester } = page
  if (stop.told !== undefined) {
    if (await userCouldEnterRemote(deps, stop.told, requester)) page.add({ ...stop.told, children_state: [] })
    return
  }
  page.asked()
  const space = await askOnce(page, stop)
  if (space === undefined || !(await userCouldEnterRemote(deps, space.room, requester))) return
  page.add({ ...space.room, children_state: space.children.map(({ stripped }) => stripped) })
  const open: (Omit<Stop, 'depth'> & { readonly isClosed: boolean })[] = space.children.map(({ roomId, via }) => ({
    roomId,
    via,
    told: space.summaries.get(roomId),
    isClosed: space.closed.has(roomId),
  }))
  await descend(page, stop, open)
}

/** The first child comes next. `isClosed`: this server could not enter it, as another says; it counts if it is here. */
async function descend(
  page: Page,
  { depth }: Stop,
  children: readonly (Omit<Stop, 'depth'> & { readonly isClosed?: boolean })[],
): Promise<void> {
  const { deps, question, seen, stops } = page
  if (depth >= Math.min(question.maxDepth ?? WALK.depthMax, WALK.depthMax)) return
  const next: Stop[] = []
  for (const { roomId, via, told, isClosed = false } of children) {
    if (seen.has(roomId) || stops.length + next.length >= WALK.stopsMax) continue
    if (isClosed && (await deps.heads.roomNid(roomId)) === undefined) continue
    next.push({ roomId, via, told, depth: depth + 1 })
  }
  stops.push(...next.toReversed())
  await lookAhead(page)
}

/** Rooms elsewhere are asked for together, since each can take seconds. */
async function lookAhead(page: Page): Promise<void> {
  const { deps, stops } = page
  for (const stop of stops.slice(-AHEAD_MAX)) {
    if (stop.told !== undefined || (await deps.heads.roomNid(stop.roomId)) !== undefined) continue
    // Whoever needs the answer hears of the failure.
    askOnce(page, stop).catch(() => undefined)
  }
}

function askOnce({ deps, question, told }: Page, stop: Stop): ReturnType<RemoteSpaces['of']> {
  const { roomId } = stop
  const asked = told.get(roomId)
  if (asked !== undefined) return asked
  const { suggestedOnly } = question
  const answer = deps.spaces.remote.of({ roomId, servers: serversOf(deps, stop), suggestedOnly })
  told.set(roomId, answer)
  return answer
}

function serversOf({ serverName }: HierarchyDeps, { via }: Stop): readonly ServerName[] {
  return [...new Set(via.flatMap((name) => parseServerName(name) ?? []))].filter((server) => server !== serverName)
}

function notSeen(): Error {
  return matrixError('M_FORBIDDEN', 'You are not allowed to see this room, or it does not exist.')
}
