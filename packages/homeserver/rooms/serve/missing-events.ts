/** The events between what a server has and what it has just heard of. <https://spec.matrix.org/v1.19/server-server-api/#post_matrixfederationv1get_missing_eventsroomid> */
import type { ServerName } from '@holdfast/protocol/ids/brand'
import { OUTPUT_LIMITS } from '@holdfast/protocol/limits'
import type { Homeserver } from '../../homeserver.ts'
import type { RoomHead } from '../room-heads.ts'
import type { ReadDeps } from '../visible-events.ts'
import { openLinks, type Link } from './graph-walk.ts'
import { graphNids } from './known-event.ts'
import { pduTexts } from './pdu-texts.ts'
import type { WireDeps } from './wire-pdu.ts'

const LIMIT_DEFAULT = 10

export type MissingQuery = {
  readonly earliest: readonly string[]
  readonly latest: readonly string[]
  readonly limit: number | undefined
  readonly minDepth: number | undefined
}

/** The texts of the events, oldest first. */
export async function missingEvents(
  deps: ReadDeps & WireDeps,
  asking: { readonly origin: ServerName; readonly head: RoomHead },
  query: MissingQuery,
): Promise<readonly string[]> {
  const { roomNid } = asking.head
  const found = await walk(deps, {
    roomNid,
    earliest: await graphNids(deps, roomNid, query.earliest),
    latest: await graphNids(deps, roomNid, query.latest),
    limit: Math.min(Math.max(query.limit ?? LIMIT_DEFAULT, 0), OUTPUT_LIMITS.missingEventsMax),
    minDepth: query.minDepth ?? 0,
  })
  const oldestFirst = found.toReversed().sort((a, b) => a.depth - b.depth)
  return pduTexts(
    deps,
    asking.origin,
    oldestFirst.map(({ nid }) => nid),
  )
}

type Walk = {
  readonly roomNid: number
  readonly earliest: readonly number[]
  readonly latest: readonly number[]
  readonly limit: number
  readonly minDepth: number
}

/** Breadth first, so that those nearest to what the server heard of come before the limit. */
async function walk(
  deps: Pick<Homeserver, 'db'>,
  { roomNid, earliest, latest, limit, minDepth }: Walk,
): Promise<Link[]> {
  const links = await openLinks(deps, { roomNid, newest: latest, count: limit })
  const seen = new Set([...earliest, ...latest])
  const found: Link[] = []
  let level = (await links.load(latest)).filter(({ nid }) => !earliest.includes(nid))
  for (let walked = 0; level.length > 0 && walked < OUTPUT_LIMITS.missingEventsWalkMax; walked += level.length) {
    const prev = new Set(level.flatMap((link) => link.prev).filter((nid) => !seen.has(nid)))
    for (const nid of prev) seen.add(nid)
    level = (await links.load([...prev])).filter(({ depth }) => depth >= minDepth)
    for (const link of level) {
      if (link.isUnserved) continue
      if (found.length === limit) return found
      found.push(link)
    }
    if (found.length === limit) return found
  }
  return found
}
