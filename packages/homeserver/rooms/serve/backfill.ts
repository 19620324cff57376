/** A room's past, from some events backwards. <https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1backfillroomid> */
import type { ServerName } from '@holdfast/protocol/ids/brand'
import { OUTPUT_LIMITS } from '@holdfast/protocol/limits'
import type { Homeserver } from '../../homeserver.ts'
import type { RoomHead } from '../room-heads.ts'
import type { ReadDeps } from '../visible-events.ts'
import { openLinks, type Link } from './graph-walk.ts'
import { graphNids } from './known-event.ts'
import { openPace } from './pace.ts'
import { pduTexts } from './pdu-texts.ts'
import type { WireDeps } from './wire-pdu.ts'

const STEPS_PER_SLICE = 50

export type BackfillQuery = { readonly from: readonly string[]; readonly limit: number }

/** The texts of the events and of what they follow, newest first. */
export async function backfill(
  deps: ReadDeps & WireDeps,
  asking: { readonly origin: ServerName; readonly head: RoomHead },
  query: BackfillQuery,
): Promise<readonly string[]> {
  const { roomNid } = asking.head
  const limit = Math.min(Math.max(query.limit, 0), OUTPUT_LIMITS.backfillEventsMax)
  const from = await graphNids(deps, roomNid, query.from)
  const nids = await nidsBack(deps, { roomNid, from, limit })
  return pduTexts(deps, asking.origin, nids)
}

/** By depth, which is the order that the graph was made in as far as servers tell the truth; it never goes on for ever. */
async function nidsBack(
  deps: Pick<Homeserver, 'db'>,
  { roomNid, from, limit }: { readonly roomNid: number; readonly from: readonly number[]; readonly limit: number },
): Promise<readonly number[]> {
  const links = await openLinks(deps, { roomNid, newest: from, count: limit })
  const pace = openPace(STEPS_PER_SLICE)
  const seen = new Set(from)
  const waiting = [...(await links.load(from))]
  const found: number[] = []
  for (let step = 0; step < OUTPUT_LIMITS.missingEventsWalkMax && found.length < limit; step += 1) {
    const next = takeDeepest(waiting)
    if (next === undefined) break
    if (!next.isUnserved) found.push(next.nid)
    const prev = next.prev.filter((nid) => !seen.has(nid))
    for (const nid of prev) seen.add(nid)
    waiting.push(...(await links.load(prev)))
    await pace.spent(1)
  }
  return found
}

function takeDeepest(waiting: Link[]): Link | undefined {
  let deepest = 0
  for (const [index, link] of waiting.entries()) {
    const best = waiting[deepest]!
    if (link.depth > best.depth || (link.depth === best.depth && link.nid > best.nid)) deepest = index
  }
  return waiting.splice(deepest, 1)[0]
}
