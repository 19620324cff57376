/**
 * How long it takes to resolve 10,000 conflicted events over an auth graph of 50,000, and how long it goes without a pause:
 *
 *   node packages/protocol/state/resolution/testing/bench.ts
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { selectAuthEvents } from '../../../event/auth-events.ts'
import type { Pdu } from '../../../event/pdu.ts'
import type { JsonObject } from '../../../json/value.ts'
import { rulesFor } from '../../../room-version/rules.ts'
import type { RoomRules } from '../../../room-version/rules.ts'
import { diffStateMaps, stateMapOf, stateMapSet } from '../../state-map.ts'
import type { StateMap } from '../../state-map.ts'
import type { ResolutionEvent, ResolutionSource } from '../ledger.ts'
import { resolveState } from '../resolution.ts'
import { createDice } from './dice.ts'

const EVENTS = 50_000
/** Of both branches together; each puts another event in dispute, the one that it replaces. */
const CHANGES = 5_000
const MEMBERS = 15_000
const MODERATORS = 50
const ROUNDS = 7

type World = {
  readonly rules: RoomRules
  readonly events: ResolutionEvent[]
  readonly auths: (readonly number[])[]
  readonly keys: Map<string, number>
}
type Draft = {
  readonly sender: string
  readonly type: string
  readonly stateKey: string
  readonly content: JsonObject
  readonly time?: number
}
/** A line of the room's history with its state by key. */
type Branch = { readonly state: Map<string, number>; map: StateMap }

function add(world: World, branch: Branch, { time, ...draft }: Draft): void {
  const nid = world.events.length
  const { rules } = world
  const auths = selectAuthEvents(rules, draft).flatMap(
    ({ type, stateKey }) => branch.state.get(keyText(type, stateKey)) ?? [],
  )
  const eventId = `$${String(nid * 7919).padStart(43, 'a')}`
  const pdu = {
    ...draft,
    eventId,
    roomId: rules.roomIdIsCreateHash ? `!${'a'.repeat(42)}0` : '!room:a',
    depth: nid,
    originServerTs: time ?? nid,
    prevEvents: nid === 0 ? [] : [world.events[Math.min(nid - 1, 1)]!.pdu.eventId],
    authEvents: auths.map((auth) => world.events[auth]!.pdu.eventId),
    redacts: undefined,
  } as unknown as Pdu
  const key = keyText(draft.type, draft.stateKey)
  const stateKeyNid = world.keys.get(key) ?? world.keys.size
  world.keys.set(key, stateKeyNid)
  world.events.push({ nid, pdu, stateKeyNid, rejected: false })
  world.auths.push(auths)
  branch.state.set(key, nid)
  branch.map = stateMapSet(branch.map, stateKeyNid, nid)
}

function keyText(type: string, stateKey: string): string {
  return `${type}|${stateKey}`
}

function member(sender: string, target: string, membership: string): Draft {
  return { sender, type: 'm.room.member', stateKey: target, content: { membership } }
}

function levels({ rules }: World, sender: string, ban: number): Draft {
  const creator = rules.creatorsAboveAll ? {} : { [user(0)]: 100 }
  const moderators = Object.fromEntries(Array.from({ length: MODERATORS }, (_, index) => [user(index + 1), 50]))
  return { sender, type: 'm.room.power_levels', stateKey: '', content: { ban, users: { ...creator, ...moderators } } }
}

function user(index: number): string {
  return `@user${index}:server${index % 50}`
}

/** A long history with many changes of names, levels and topics, then two branches. */
function buildWorld(version: string): { readonly world: World; readonly states: StateMap[] } {
  const rules = rulesFor(version)!
  const world: World = { rules, events: [], auths: [], keys: new Map() }
  const trunk: Branch = { state: new Map(), map: stateMapOf([]) }
  const dice = createDice(1)
  const creator = user(0)
  const content: JsonObject = { room_version: version, ...(rules.creatorInContent ? { creator } : {}) }
  add(world, trunk, { sender: creator, type: 'm.room.create', stateKey: '', content })
  add(world, trunk, member(creator, creator, 'join'))
  add(world, trunk, levels(world, creator, 50))
  add(world, trunk, { sender: creator, type: 'm.room.join_rules', stateKey: '', content: { join_rule: 'public' } })
  for (let index = 1; index < MEMBERS; index += 1) add(world, trunk, member(user(index), user(index), 'join'))
  while (world.events.length < EVENTS - CHANGES) {
    if (dice.chance(1)) add(world, trunk, levels(world, creator, 40 + dice.roll(10)))
    else {
      const who = user(dice.roll(MEMBERS))
      add(world, trunk, member(who, who, 'join'))
    }
  }
  return { world, states: [1, 2].map((branch) => extend(world, trunk, branch).map) }
}

/** Half of the changes are bans and kicks, which have to be ordered by power, and levels between them. */
function extend(world: World, trunk: Branch, seed: number): Branch {
  const branch: Branch = { state: new Map(trunk.state), map: trunk.map }
  const dice = createDice(seed)
  for (let index = 0; index < CHANGES / 2; index += 1) {
    const target = user(MODERATORS + 1 + seed + 2 * index)
    const moderator = user(1 + dice.roll(MODERATORS))
    if (index % 100 === 0) add(world, branch, levels(world, user(0), 30 + dice.roll(20)))
    else if (index % 2 === 0) add(world, branch, member(moderator, target, dice.chance(50) ? 'ban' : 'leave'))
    else add(world, branch, member(target, target, 'join'))
  }
  return branch
}

type Run = {
  readonly totalMs: number
  readonly longestMs: number
  /** The same in time of this thread on a processor: without what others took on a busy machine. */
  readonly longestCpuMs: number
  readonly pauses: number
  readonly changed: number
}

function resolveOnce({ rules, events, auths, keys }: World, states: readonly StateMap[]): Run {
  const source: ResolutionSource = {
    event: (nid) => events[nid],
    authNids: (nid) => auths[nid],
    stateKeyNid: (type, stateKey) => keys.get(keyText(type, stateKey)),
  }
  const startedMs = performance.now()
  const resolution = resolveState(rules, states, source)
  let [longestMs, longestCpuMs, pauses, sinceMs, sinceCpuMs] = [0, 0, 0, startedMs, cpuMs()]
  for (;;) {
    const step = resolution.next()
    const nowMs = performance.now()
    longestMs = Math.max(longestMs, nowMs - sinceMs)
    longestCpuMs = Math.max(longestCpuMs, cpuMs() - sinceCpuMs)
    if (step.done === true) {
      const changed = diffStateMaps(states[0]!, step.value).length
      return { totalMs: nowMs - startedMs, longestMs, longestCpuMs, pauses, changed }
    }
    pauses += 1
    sinceMs = performance.now()
    sinceCpuMs = cpuMs()
  }
}

function cpuMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

/** What building the room left behind must not be cleared away on the time of the resolution. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
}

function main(): void {
  for (const version of ['1', '11', '12']) {
    const { world, states } = buildWorld(version)
    collectGarbage()
    const differences = diffStateMaps(states[0]!, states[1]!)
    const conflicted = new Set(differences.flatMap(({ before, after }) => [before ?? after, after ?? before])).size
    const runs = Array.from({ length: ROUNDS }, () => resolveOnce(world, states))
    const sorted = runs.map(({ totalMs }) => totalMs).sort((left, right) => left - right)
    const longestMs = Math.max(...runs.map((run) => run.longestMs))
    const longestCpuMs = Math.max(...runs.map((run) => run.longestCpuMs))
    const { pauses, changed } = runs[0]!
    process.stdout.write(
      `room version ${version}: ${world.events.length} events, ${conflicted} in conflict, ${changed} changed: ` +
        `first ${runs[0]!.totalMs.toFixed(0)} ms, median ${sorted[ROUNDS >> 1]!.toFixed(0)} ms, ` +
        `${pauses} pauses, longest time between two ${longestMs.toFixed(1)} ms (CPU ${longestCpuMs.toFixed(1)} ms)\n`,
    )
  }
}

if (import.meta.main) main()
