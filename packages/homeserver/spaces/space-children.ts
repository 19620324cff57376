/** The rooms that a space names as its children. <https://spec.matrix.org/v1.19/client-server-api/#mspacechild> */
import { parseRoomId } from '@holdfast/protocol/ids/room-id'
import type { RoomId } from '@holdfast/protocol/ids/brand'
import type { JsonObject } from '@holdfast/protocol/json/value'
import { SPEC_LIMITS } from '@holdfast/protocol/limits'
import { stateMapGet, type StateMap } from '@holdfast/protocol/state/state-map'
import type { Homeserver } from '../homeserver.ts'
import { stateEventAt } from '../rooms/current-state.ts'
import type { StoredEvent } from '../rooms/event-store.ts'
import { openPace } from '../rooms/serve/pace.ts'
import { stateKeysOfType } from '../storage/space-children.ts'

export type SpaceChild = {
  readonly roomId: RoomId
  readonly isSuggested: boolean
  readonly event: StoredEvent
}

type ChildDeps = Pick<Homeserver, 'db' | 'events' | 'dictionary'>

/** A space is read up to so many children, and up to so much text of their events. */
const CHILDREN_MAX = 1_000
const CHILDREN_CHARACTERS_MAX = 4_000_000
const KEYS_PER_SLICE = 20_000

/** Whether the room is a space: only then its children count. */
export async function isSpace(deps: Pick<Homeserver, 'events' | 'dictionary'>, state: StateMap): Promise<boolean> {
  const create = await stateEventAt(deps, state, { type: 'm.room.create', stateKey: '' })
  return create?.pdu.content['type'] === 'm.space'
}

/** The valid children of a space in their order; none of a room that is no space. */
export async function spaceChildren(deps: ChildDeps, state: StateMap): Promise<readonly SpaceChild[]> {
  if (!(await isSpace(deps, state))) return []
  const children: SpaceChild[] = []
  let characters = 0
  for (const event of (await childEvents(deps, state)).values()) {
    const child = childOf(event)
    if (child === undefined) continue
    characters += event.json.length
    if (characters > CHILDREN_CHARACTERS_MAX) break
    children.push(child)
  }
  return children.sort(compareChildren)
}

/** There are far fewer keys of children on a server than members in a large space. */
async function childEvents(deps: ChildDeps, state: StateMap): Promise<ReadonlyMap<number, StoredEvent>> {
  const pace = openPace(KEYS_PER_SLICE)
  const nids: number[] = []
  for (const key of await stateKeysOfType(deps.db.heavy, 'm.space.child')) {
    const nid = stateMapGet(state, key)
    if (nid !== undefined) nids.push(nid)
    if (nids.length === CHILDREN_MAX) break
    await pace.spent(1)
  }
  return deps.events.byNids(nids)
}

function childOf(event: StoredEvent): SpaceChild | undefined {
  const { content, stateKey } = event.pdu
  const roomId = parseRoomId(stateKey ?? '')
  const { via } = content
  if (roomId === undefined || !Array.isArray(via) || via.length === 0) return undefined
  if (!via.every((server) => typeof server === 'string')) return undefined
  return { roomId, isSuggested: content['suggested'] === true, event }
}

/** <https://spec.matrix.org/v1.19/client-server-api/#ordering-of-children-within-a-space> */
function compareChildren(a: SpaceChild, b: SpaceChild): number {
  const [orderA, orderB] = [orderOf(a.event.pdu.content), orderOf(b.event.pdu.content)]
  if (orderA !== orderB) {
    if (orderA === undefined) return 1
    if (orderB === undefined) return -1
    return orderA < orderB ? -1 : 1
  }
  return a.event.pdu.originServerTs - b.event.pdu.originServerTs || (a.roomId < b.roomId ? -1 : 1)
}

const ORDER = /^[\u0020-\u007e]+$/

/** undefined as well for an order that is none. */
function orderOf({ order }: JsonObject): string | undefined {
  if (typeof order !== 'string' || order.length > SPEC_LIMITS.spaceChildOrderCharactersMax) return undefined
  return ORDER.test(order) ? order : undefined
}

/** A child event as answers about spaces show it. */
export function strippedChild({ event }: SpaceChild): object {
  const { content, originServerTs, sender, stateKey, type } = event.pdu
  return { type, state_key: stateKey, content, sender, origin_server_ts: originServerTs }
}
