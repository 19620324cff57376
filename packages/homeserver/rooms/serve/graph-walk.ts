/** The events of a room and what they follow, read as a walk through the room needs them. */
import type { Homeserver } from '../../homeserver.ts'
import { eventLinks, timelineLinks, UNSERVED_FLAGS, type EventLinkRow } from '../../storage/event-graph.ts'
import { unpackEdges } from '../edges.ts'

export type Link = {
  readonly nid: number
  readonly position: number
  readonly depth: number
  /** Part of the graph, but never told to others. */
  readonly isUnserved: boolean
  readonly prev: readonly number[]
}

export type Links = {
  /** Those of the events that are of the room. */
  load(nids: readonly number[]): Promise<readonly Link[]>
}

/** Events read in one go beside those that a walk asks for: most walks follow the timeline. */
const AHEAD_EVENTS = 40

/** `newest`: where the walk begins; `count`: how many events it is likely to see. */
export async function openLinks(
  deps: Pick<Homeserver, 'db'>,
  walk: { readonly roomNid: number; readonly newest: readonly number[]; readonly count: number },
): Promise<Links> {
  const known = new Map<number, Link>()
  const take = (rows: readonly EventLinkRow[]): void => {
    for (const row of rows) if (row.room_nid === walk.roomNid) known.set(row.event_nid, linkOf(row))
  }

  async function load(nids: readonly number[]): Promise<readonly Link[]> {
    const missing = nids.filter((nid) => !known.has(nid))
    if (missing.length > 0) take(await eventLinks(deps.db, missing))
    return nids.flatMap((nid) => known.get(nid) ?? [])
  }

  const starts = await load(walk.newest)
  if (starts.length > 0) {
    const upTo = Math.max(...starts.map(({ position }) => position))
    take(await timelineLinks(deps.db, { roomNid: walk.roomNid, upTo, limit: walk.count + AHEAD_EVENTS }))
  }
  return { load }
}

function linkOf(row: EventLinkRow): Link {
  return {
    nid: row.event_nid,
    position: row.position,
    depth: row.depth,
    isUnserved: (row.flags & UNSERVED_FLAGS) !== 0,
    prev: unpackEdges(row.edges).prev,
  }
}
