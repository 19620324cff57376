/** Everything a decision may look at, loaded before it is made, because a decision does not wait (CONTRIBUTING R3). */
import { selectAuthEvents } from '@holdfast/protocol/event/auth-events'
import { parseUserId } from '@holdfast/protocol/ids/user-id'
import type { UserId } from '@holdfast/protocol/ids/brand'
import type { RoomRules } from '@holdfast/protocol/room-version/rules'
import type { Homeserver } from '../homeserver.ts'
import type { StateKey } from '../dictionary/dictionary.ts'
import type { NidAllocator } from '../storage/nids.ts'
import type { StoredEvent } from './event-store.ts'
import type { NewRoomEvent } from './room-draft.ts'
import { stateMapGet, type StateMap } from '@holdfast/protocol/state/state-map'

/** What a decision announces. */
export type Needs = {
  /** Events it may add: their authorisation, types, senders and state keys are prefetched. */
  readonly events: readonly NewRoomEvent[]
  /** State it reads besides. */
  readonly reads?: readonly StateKey[]
}

export type Prefetched = {
  stateKeyNid(key: StateKey): number | undefined
  event(nid: number): StoredEvent
  userNid(userId: UserId): number
  eventTypeNid(type: string): number
  newEventNid(): number
  newStateNid(): number
}

export type PrefetchDeps = Pick<Homeserver, 'dictionary' | 'events'> & {
  readonly eventNids: NidAllocator
  readonly stateNids: NidAllocator
}

/** Loads for one batch of decisions on the same state. */
export async function prefetch(
  deps: PrefetchDeps,
  room: { readonly rules: RoomRules; readonly state: StateMap | undefined },
  needs: readonly Needs[],
): Promise<Prefetched> {
  const keyNids = new Map<string, number>()
  const userNids = new Map<UserId, number>()
  const typeNids = new Map<string, number>()
  const work: Promise<unknown>[] = []
  const announced = needs.flatMap((need) => need.events)
  const requested = new Set<string>()

  function wantKey(key: StateKey, kind: 'read' | 'write'): void {
    const text = keyText(key)
    if (requested.has(`${kind}${text}`)) return
    requested.add(`${kind}${text}`)
    const found = kind === 'read' ? deps.dictionary.stateKeyNid(key) : deps.dictionary.internStateKey(key)
    work.push(found.then((nid) => (nid === undefined ? undefined : keyNids.set(text, nid))))
  }
  function wantUser(userId: UserId): void {
    if (userNids.has(userId) || requested.has(userId)) return
    requested.add(userId)
    work.push(deps.dictionary.internUser(userId).then((nid) => userNids.set(userId, nid)))
  }
  function wantType(type: string): void {
    if (requested.has(`t${type}`)) return
    requested.add(`t${type}`)
    work.push(deps.dictionary.internEventType(type).then((nid) => typeNids.set(type, nid)))
  }

  for (const event of announced) {
    wantUser(event.sender)
    wantType(event.type)
    if (event.stateKey !== undefined) wantKey({ type: event.type, stateKey: event.stateKey }, 'write')
    if (event.type === 'm.room.member' && event.stateKey !== undefined) {
      const target = parseUserId(event.stateKey)
      if (target !== undefined) wantUser(target)
    }
    for (const key of selectAuthEvents(room.rules, event)) wantKey(key, 'read')
    wantKey({ type: 'm.room.create', stateKey: '' }, 'read')
  }
  for (const need of needs) for (const key of need.reads ?? []) wantKey(key, 'read')
  await Promise.all(work)

  const eventNids = new Set<number>()
  for (const keyNid of keyNids.values()) {
    const eventNid = room.state === undefined ? undefined : stateMapGet(room.state, keyNid)
    if (eventNid !== undefined) eventNids.add(eventNid)
  }
  const events = await deps.events.byNids(eventNids)
  const freshEventNids = [...(await deps.eventNids.take(announced.length))].reverse()
  const freshStateNids = [...(await deps.stateNids.take(announced.length))].reverse()

  return {
    stateKeyNid: (key) => keyNids.get(keyText(key)),
    event: (nid) => known(events.get(nid), 'event'),
    userNid: (userId) => known(userNids.get(userId), 'user'),
    eventTypeNid: (type) => known(typeNids.get(type), 'event type'),
    newEventNid: () => known(freshEventNids.pop(), 'event'),
    newStateNid: () => known(freshStateNids.pop(), 'state'),
  }
}

function keyText(key: StateKey): string {
  return `${key.type.length}:${key.type}${key.stateKey}`
}

function known<T>(value: T | undefined, what: string): T {
  if (value === undefined)
    throw new Error(`the decision uses ${what === 'event' ? 'an' : 'a'} ${what} that it did not announce`)
  return value
}
