/** The rooms that a space names as its children. <https://spec.matrix.org/v1.19/client-server-api/#mspacechild> */
import { parseRoomId } from '@holdfast/protocol/ids/room-id'
import type { RoomId } from '@holdfast/protocol/ids/brand'
import { stateMapGet, type StateMap } from '@holdfast/protocol/state/state-map'
import type { Homeserver } from '../homeserver.ts'
import { stateEventAt } from '../rooms/current-state.ts'
import type { StoredEvent } from '../rooms/event-store.ts'
import { openPace } from '../rooms/serve/pace.ts'
import { stateKeysOfType } from '../storage/space-children.ts'
import { compareChildren, viaOf } from './child-order.ts'

export type SpaceChild = {
  readonly roomId: RoomId
  /** Servers to find the room through, as the event names them. */
  readonly via: readonly string[]
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
  return children.sort((a, b) => compareChildren(ordered(a), ordered(b)))
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
  const via = viaOf(content)
  if (roomId === undefined || via === undefined) return undefined
  return { roomId, via, isSuggested: content['suggested'] === true, event }
}

function ordered({ roomId, event }: SpaceChild) {
  return { roomId, content: event.pdu.content, originServerTs: event.pdu.originServerTs }
}

/** A child event as answers about spaces show it. */
export function strippedChild({ event }: SpaceChild): object {
  const { content, originServerTs, sender, stateKey, type } = event.pdu
  return { type, state_key: stateKey, content, sender, origin_server_ts: originServerTs }
}
