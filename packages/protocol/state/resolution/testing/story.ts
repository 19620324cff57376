/** Rooms told by hand: events with names, and what becomes of their conflicts. */
import type { JsonObject } from '../../../json/value.ts'
import { rulesFor } from '../../../room-version/rules.ts'
import type { StateMap } from '../../state-map.ts'
import { createDag } from './dag.ts'
import type { Dag, DagEvent } from './dag.ts'

export type Telling = {
  readonly sender: string
  readonly type: string
  readonly stateKey?: string
  readonly content?: JsonObject
  /** The events before it; otherwise the one told last. */
  readonly after?: readonly string[]
  readonly auth?: readonly string[]
  /** Otherwise later than all before. */
  readonly time?: number
  readonly depth?: number
  /** The first letters of its id, which decides last of all. */
  readonly id?: string
}

export type Story = {
  readonly dag: Dag
  readonly tell: (name: string, telling: Telling) => Story
  readonly topic: (name: string, sender: string, more?: Partial<Telling>) => Story
  readonly member: (name: string, sender: string, target: string, membership: string, more?: Partial<Telling>) => Story
  readonly levels: (name: string, sender: string, content: JsonObject, more?: Partial<Telling>) => Story
  readonly joinRule: (name: string, sender: string, rule: string, more?: Partial<Telling>) => Story
  readonly event: (name: string) => DagEvent
  readonly after: (name: string) => StateMap
  /** The names of what stands at a key in the resolution of the states after these events. */
  readonly resolved: (names: readonly string[], type: string, stateKey?: string) => string | undefined
  readonly nameAt: (state: StateMap, type: string, stateKey?: string) => string | undefined
}

/** A public room of Ann's with levels 100 for her and 50 for Bob, who is in it, too. */
export function aStory(version: string): Story {
  const rules = rulesFor(version)!
  const dag = createDag(rules, rules.roomIdIsCreateHash ? `!${'c'.repeat(43)}` : '!room:a')
  const names = new Map<string, DagEvent>()
  const nameOf = (event: DagEvent | undefined): string | undefined =>
    [...names].find(([, named]) => named === event)?.[0]
  const event = (name: string): DagEvent => names.get(name)!

  const tell = (name: string, { stateKey = '', content = {}, ...told }: Telling): Story => {
    const time = told.time ?? 1000 + dag.events.length
    const id = told.id ?? (dag.events.length === 0 ? 'c'.repeat(43) : name)
    const added = dag.add({
      eventId: `$${id}`,
      type: told.type,
      stateKey,
      sender: told.sender,
      content,
      prev: told.after?.map(event) ?? dag.events.slice(-1),
      originServerTs: time,
      ...(told.auth === undefined ? {} : { auth: told.auth.map(event) }),
      ...(told.depth === undefined ? {} : { depth: told.depth }),
    })
    if (added === undefined) throw new Error(`${name} is not allowed`)
    names.set(name, added)
    return story
  }
  const nameAt: Story['nameAt'] = (state, type, stateKey = '') => nameOf(dag.eventAt(state, type, stateKey))
  const story: Story = {
    dag,
    tell,
    topic: (name, sender, more = {}) => tell(name, { sender, type: 'm.room.topic', ...more }),
    member: (name, sender, target, membership, more = {}) =>
      tell(name, { sender, type: 'm.room.member', stateKey: target, content: { membership }, ...more }),
    levels: (name, sender, content, more = {}) => tell(name, { sender, type: 'm.room.power_levels', content, ...more }),
    joinRule: (name, sender, rule, more = {}) =>
      tell(name, { sender, type: 'm.room.join_rules', content: { join_rule: rule }, ...more }),
    event,
    after: (name) => event(name).stateAfter,
    resolved: (told, type, stateKey) => nameAt(dag.resolve(told.map((name) => event(name).stateAfter)), type, stateKey),
    nameAt,
  }
  const creator: JsonObject = rules.creatorInContent ? { creator: '@ann:a' } : {}
  return story
    .tell('create', { sender: '@ann:a', type: 'm.room.create', content: { room_version: version, ...creator } })
    .member('ann', '@ann:a', '@ann:a', 'join')
    .levels('levels', '@ann:a', levelsOf(story, { '@bob:b': 50 }))
    .joinRule('public', '@ann:a', 'public')
    .member('bob', '@bob:b', '@bob:b', 'join')
}

/** Levels of users, with Ann's where it must be said. */
export function levelsOf({ dag }: Story, users: JsonObject, more: JsonObject = {}): JsonObject {
  return { users: { ...(dag.rules.creatorsAboveAll ? {} : { '@ann:a': 100 }), ...users }, ...more }
}
