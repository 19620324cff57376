/** Random rooms with forks, merges, old auth events, lies about depth and time, and states that no honest server would have. */
import type { JsonObject } from '../../../json/value.ts'
import { ROOM_VERSIONS, rulesFor } from '../../../room-version/rules.ts'
import type { RoomRules } from '../../../room-version/rules.ts'
import { stateMapRemove, stateMapSet } from '../../state-map.ts'
import type { StateMap } from '../../state-map.ts'
import { createDag } from './dag.ts'
import type { Dag, DagDraft, DagEvent } from './dag.ts'
import { createDice } from './dice.ts'
import type { Dice } from './dice.ts'

export type Algorithm = RoomRules['stateResolution']

export type RandomRoom = {
  readonly dag: Dag
  /** What is to be resolved. */
  readonly states: readonly StateMap[]
  /** The same, as honest servers would have it. */
  readonly honestStates: readonly StateMap[]
  readonly dice: Dice
}

const USERS = ['@ann:a', '@bob:b', '@cat:c', '@dan:a', '@eve:b']
const LEVELS = [0, 0, 10, 50, 50, 51, 99, 100]
const EVENTS_MIN = 8
const EVENTS_MAX = 40

const VERSIONS = (['v1', 'v2', 'v2.1'] as const).map(
  (algorithm) => [algorithm, ROOM_VERSIONS.map((version) => rulesFor(version)!)] as const,
)
const RULES = new Map<Algorithm, readonly RoomRules[]>(
  VERSIONS.map(([algorithm, all]) => [algorithm, all.filter((rules) => rules.stateResolution === algorithm)]),
)

export function randomRoom(algorithm: Algorithm, seed: number): RandomRoom {
  const dice = createDice(seed)
  const rules = dice.pick(RULES.get(algorithm)!)
  const dag = startRoom(dice, rules)
  // Small ones find most, and are many more in the same time.
  const spread = EVENTS_MAX - EVENTS_MIN + 1
  const size = EVENTS_MIN + Math.min(dice.roll(spread), dice.roll(spread))
  const tips = new Set([dag.events.at(-1)!])
  for (let rounds = 0; dag.events.length < size && rounds < 2 * size; rounds += 1) {
    const prev = somePrev(dice, dag, tips)
    const event = addSomething(dice, dag, prev)
    if (event === undefined) continue
    for (const tip of prev) tips.delete(tip)
    tips.add(event)
  }
  const honestStates = statesOf(dice, dag, tips)
  const states = honestStates.map((state) => (dice.chance(8) ? withLie(dice, dag, state) : state))
  return { dag, states, honestStates, dice }
}

function addSomething(dice: Dice, dag: Dag, prev: readonly DagEvent[]): DagEvent | undefined {
  const stateBefore = dag.resolve(prev.map(({ stateAfter }) => stateAfter))
  for (let tries = 0; tries < 4; tries += 1) {
    const event = dag.add({ ...randomDraft(dice, dag, prev, stateBefore), stateBefore })
    if (event !== undefined) return event
  }
  return undefined
}

function startRoom(dice: Dice, rules: RoomRules): Dag {
  const localpart = eventLocalpart(dice, 0)
  const roomId = rules.roomIdIsCreateHash ? `!${localpart}` : '!room:a'
  const dag = createDag(rules, roomId)
  const creator = USERS[0]!
  const more: JsonObject = rules.creatorInContent
    ? { creator }
    : dice.chance(20)
      ? { additional_creators: [USERS[3]!] }
      : {}
  const eventId = rules.eventId === 'random' ? `$${localpart}:a` : `$${localpart}`
  const start = {
    eventId,
    sender: creator,
    originServerTs: 100,
    prev: [],
    content: { room_version: rules.version, ...more },
  }
  const create = dag.add({ ...start, type: 'm.room.create', stateKey: '' })!
  dag.add({ ...draftOn(dice, dag, [create]), ...member(creator, creator, 'join') })
  if (dice.chance(85)) dag.add({ ...draftOn(dice, dag, [dag.events.at(-1)!]), ...powerLevels(dice, dag, creator) })
  if (dice.chance(85)) {
    dag.add({ ...draftOn(dice, dag, [dag.events.at(-1)!]), ...joinRules(creator, 'public') })
  }
  return dag
}

/** Mostly a tip, now and then a merge of tips, or an event further back, which makes a fork. */
function somePrev(dice: Dice, dag: Dag, tips: ReadonlySet<DagEvent>): DagEvent[] {
  const all = [...tips]
  const kind = dice.roll(100)
  if (kind < 60) return [dice.pick(all)]
  if (kind < 86 || all.length === 1) return [dag.events[1 + dice.roll(dag.events.length - 1)]!]
  return all
    .filter(() => dice.chance(60))
    .slice(0, 3)
    .concat(all[0]!)
    .filter((tip, at, list) => list.indexOf(tip) === at)
}

type Action = Pick<DagDraft, 'type' | 'stateKey' | 'sender' | 'content'>
type Ground = Pick<DagDraft, 'eventId' | 'prev' | 'originServerTs'> & {
  readonly depth?: number
  readonly authFrom?: StateMap
}

function draftOn(dice: Dice, dag: Dag, prev: readonly DagEvent[]): Ground {
  const localpart = eventLocalpart(dice, dag.events.length)
  return {
    eventId: dag.rules.eventId === 'random' ? `$${localpart}:${dice.pick(['a', 'b', 'c'])}` : `$${localpart}`,
    prev,
    originServerTs: 100 + (dice.chance(50) ? dag.events.length : dice.roll(10)),
    ...(dice.chance(15) ? { depth: dice.roll(20) } : {}),
    ...(dice.chance(15) && dag.events.length > 3 ? { authFrom: someState(dice, dag) } : {}),
  }
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
/** One whose order differs between UTF-16 and code points. */
const ODD = ['\u{1f600}', '\uff5e']

/** As long as a hash, and unlike any other in the room. */
function eventLocalpart(dice: Dice, index: number): string {
  const first = index > 0 && dice.chance(10) ? dice.pick(ODD) : ALPHABET[dice.roll(64)]!
  return `${first}${ALPHABET[dice.roll(64)]}${String(index).padStart(3, '0')}${'x'.repeat(38)}`
}

function randomDraft(dice: Dice, dag: Dag, prev: readonly DagEvent[], state: StateMap): DagDraft {
  const joined = USERS.filter((user) => dag.eventAt(state, 'm.room.member', user)?.pdu.content['membership'] === 'join')
  const outside = USERS.filter((user) => !joined.includes(user))
  const sender = dice.chance(40) ? USERS[0]! : dice.pick(joined.length === 0 ? USERS : joined)
  return { ...draftOn(dice, dag, prev), ...randomAction(dice, dag, { sender, outside }) }
}

type Cast = { readonly sender: string; readonly outside: readonly string[] }

function randomAction(dice: Dice, dag: Dag, { sender, outside }: Cast): Action {
  const other = dice.pick(USERS)
  const kind = dice.roll(100)
  if (kind < 22 && outside.length > 0) return randomJoin(dice, dag, dice.pick(outside))
  if (kind < 28) return member(sender, sender, 'join', { displayname: String(dice.roll(3)) })
  if (kind < 34) return member(sender, sender, 'leave')
  if (kind < 42) return member(sender, other, 'leave')
  if (kind < 52) return member(sender, other, 'ban')
  if (kind < 58) return member(sender, other, 'invite')
  if (kind < 60) return member(other, other, 'knock')
  if (kind < 76) return powerLevels(dice, dag, sender)
  if (kind < 84) return joinRules(sender, dice.pick(['public', 'public', 'invite', 'knock', 'restricted']))
  if (kind < 88) return { sender, type: 'org.example.note', stateKey: dice.chance(50) ? sender : '', content: {} }
  if (kind < 90) return { sender, type: 'm.room.power_levels', stateKey: 'odd', content: { users_default: 100 } }
  return { sender, type: dice.pick(['m.room.topic', 'm.room.name']), stateKey: '', content: {} }
}

function randomJoin(dice: Dice, dag: Dag, user: string): Action {
  const vouched = dag.rules.restrictedJoins && dice.chance(40)
  return member(user, user, 'join', vouched ? { join_authorised_via_users_server: dice.pick(USERS) } : {})
}

function member(sender: string, target: string, membership: string, more: JsonObject = {}): Action {
  return { sender, type: 'm.room.member', stateKey: target, content: { membership, ...more } }
}

function joinRules(sender: string, rule: string): Action {
  return { sender, type: 'm.room.join_rules', stateKey: '', content: { join_rule: rule } }
}

function powerLevels(dice: Dice, dag: Dag, sender: string): Action {
  const users: { [userId: string]: number } = dag.rules.creatorsAboveAll ? {} : { [USERS[0]!]: 100 }
  for (const user of USERS.slice(1)) if (dice.chance(60)) users[user] = dice.pick(LEVELS)
  const content: JsonObject = {
    users,
    ...(dice.chance(20) ? { users_default: dice.pick(LEVELS) } : {}),
    ...(dice.chance(20) ? { kick: dice.pick(LEVELS) } : {}),
    ...(dice.chance(20) ? { state_default: dice.pick(LEVELS) } : {}),
    ...(dice.chance(20) ? { events: { 'm.room.topic': dice.pick(LEVELS) } } : {}),
  }
  return { sender, type: 'm.room.power_levels', stateKey: '', content }
}

/** That after any event, sometimes with a lie in it. */
function someState(dice: Dice, dag: Dag): StateMap {
  const { stateAfter } = dice.pick(dag.events)
  return dice.chance(15) ? withLie(dice, dag, stateAfter) : stateAfter
}

/** The states after the tips, or after any events. */
function statesOf(dice: Dice, dag: Dag, tips: ReadonlySet<DagEvent>): StateMap[] {
  const anywhere = Array.from({ length: 2 + dice.roll(3) }, () => dag.events[1 + dice.roll(dag.events.length - 1)]!)
  const chosen = dice.chance(60) && tips.size > 1 ? [...tips] : [...tips, ...anywhere].slice(-4)
  return chosen.map(({ stateAfter }) => stateAfter)
}

/** With any event, even a rejected one, in the place of another, or with one missing. */
function withLie(dice: Dice, dag: Dag, state: StateMap): StateMap {
  const refused = dice.chance(40) ? dag.events.filter(({ rejected }) => rejected) : []
  const event = refused.length > 0 ? dice.pick(refused) : dag.events[1 + dice.roll(dag.events.length - 1)]!
  return dice.chance(30) ? stateMapRemove(state, event.stateKeyNid) : stateMapSet(state, event.stateKeyNid, event.nid)
}
