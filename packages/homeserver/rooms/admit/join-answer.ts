/** What a server that joins is told of the room: its state before the join, and all that allows it. */
import type { ServerName } from '@holdfast/protocol/ids/brand'
import { forEachInStateMap, stateMapGet, type StateMap } from '@holdfast/protocol/state/state-map'
import { yieldToLoop } from '@holdfast/platform/clock/yield'
import { stateEventAt } from '../current-state.ts'
import type { StoredEvent } from '../event-store.ts'
import type { RoomHead } from '../room-heads.ts'
import { chainOf, stateTexts, type StateDeps } from '../serve/served-state.ts'
import { stateBefore } from '../serve/state-before.ts'
import { wirePdu } from '../serve/wire-pdu.ts'

type Joined = { readonly origin: ServerName; readonly head: RoomHead; readonly event: StoredEvent }

export type JoinAnswerOptions = {
  /** The event carries our signature, which its own server does not have yet. */
  readonly isVouched: boolean
  readonly omitMembers: boolean
  /** In the room before the join. */
  readonly servers: readonly ServerName[]
}

/** @returns JSON text */
export async function joinAnswer(
  deps: StateDeps,
  joined: Joined,
  { isVouched, omitMembers, servers }: JoinAnswerOptions,
): Promise<string> {
  const map = await stateBefore(deps, joined.event)
  if (map === undefined) throw new Error('an event that was accepted has no state')
  const state = omitMembers ? await withoutMembers(deps, joined.head, map) : nidsOf(map)
  const told = new Set(omitMembers ? state : [])
  const chain = (await chainOf(deps, joined.head, [...state, joined.event.nid])).filter((nid) => !told.has(nid))
  const stateParts = await stateTexts(deps, joined, state)
  const chainParts = await stateTexts(deps, joined, chain)
  const members = [
    `"auth_chain":[${chainParts.join(',')}]`,
    ...(isVouched ? [`"event":${await wirePdu(deps, joined.event)}`] : []),
    // Only where it was asked for: it is false by default, and who asks as in 2018 knows nothing of it.
    ...(omitMembers ? [`"members_omitted":true`, `"servers_in_room":${JSON.stringify(servers)}`] : []),
    `"origin":${JSON.stringify(deps.serverName)}`,
    `"state":[${stateParts.join(',')}]`,
  ]
  return `{${members.join(',')}}`
}

function nidsOf(map: StateMap): readonly number[] {
  const nids: number[] = []
  forEachInStateMap(map, (_key, eventNid) => nids.push(eventNid))
  return nids
}

const EVENTS_PER_READ = 200

/** The state, but of the members only those by whom a room without a name is called. */
async function withoutMembers(deps: StateDeps, head: RoomHead, map: StateMap): Promise<readonly number[]> {
  const all = nidsOf(map)
  const kept = new Set<number>(await heroes(deps, head, map))
  for (let start = 0; start < all.length; start += EVENTS_PER_READ) {
    if (start > 0) await yieldToLoop()
    const events = await deps.events.byNids(all.slice(start, start + EVENTS_PER_READ))
    for (const { nid, pdu } of events.values()) if (pdu.type !== 'm.room.member') kept.add(nid)
  }
  return [...kept]
}

const HEROES_MAX = 5

/** <https://spec.matrix.org/v1.19/client-server-api/#calculating-the-display-name-for-a-room> */
async function heroes(deps: StateDeps, head: RoomHead, map: StateMap): Promise<readonly number[]> {
  const name = await stateEventAt(deps, map, { type: 'm.room.name', stateKey: '' })
  const alias = await stateEventAt(deps, map, { type: 'm.room.canonical_alias', stateKey: '' })
  if (isText(name?.pdu.content['name']) || isText(alias?.pdu.content['alias'])) return []
  // One more than needed, for whoever joins is among them.
  const some = [...head.members.joined, ...head.members.invited].slice(0, HEROES_MAX + 1)
  const keys = await Promise.all(
    (await deps.dictionary.userIds(some)).map((stateKey) =>
      deps.dictionary.stateKeyNid({ type: 'm.room.member', stateKey }),
    ),
  )
  return keys.flatMap((key) => (key === undefined ? [] : (stateMapGet(map, key) ?? []))).slice(0, HEROES_MAX)
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== ''
}
