/** Whose events the policy lists that this server follows advise against. <https://spec.matrix.org/v1.19/client-server-api/#moderation-policy-lists> */
import { compileGlobSet, type GlobSet } from '@holdfast/protocol/federation/glob-set'
import { banRuleOf, POLICY_RULE_TYPES, type PolicyRule } from '@holdfast/protocol/federation/policy-rules'
import { serverNameOf } from '@holdfast/protocol/ids/common'
import type { RoomId, UserId } from '@holdfast/protocol/ids/brand'
import { stateMapGet, type StateMap } from '@holdfast/protocol/state/state-map'
import { yieldToLoop } from '@holdfast/platform/clock/yield'
import type { Homeserver } from '../../../homeserver.ts'
import { isResident } from '../../../rooms/room-heads.ts'
import { stateKeysOfType } from '../../../storage/space-children.ts'

export type PolicyLists = {
  /** Whether one of the lists recommends to ban the user, or the user's server. */
  bans(userId: UserId): Promise<boolean>
}

export type PolicyListsDeps = Pick<Homeserver, 'db' | 'events' | 'heads'>

/** More rules of one list count as none: nobody reads them either. */
const RULES_MAX = 50_000
const NAME_CHARACTERS_MAX = 255
/** Events read in one turn of the event loop. */
const EVENTS_PER_TURN = 200

type CompiledList = { readonly stateNid: number; readonly users: GlobSet; readonly servers: GlobSet }

/** Follows the lists as they change: each question compares one number a list. */
export function openPolicyLists(deps: PolicyListsDeps, rooms: readonly RoomId[]): PolicyLists {
  const compiled = new Map<RoomId, Promise<CompiledList>>()

  async function listOf(roomId: RoomId): Promise<CompiledList | undefined> {
    const head = await deps.heads.byId(roomId)
    // Nobody tells us what happens in a room in which nobody of us is.
    if (head === undefined || !isResident(head)) return undefined
    const known = compiled.get(roomId)
    if (known !== undefined && (await known).stateNid === head.state.nid) return known
    const made = compileList(deps, head.state)
    compiled.set(roomId, made)
    made.catch(() => compiled.delete(roomId))
    return made
  }

  return {
    bans: async (userId) => {
      const server = serverNameOf(userId)
      for (const roomId of rooms) {
        const list = await listOf(roomId)
        if (list !== undefined && (list.users.matches(userId) || list.servers.matches(server))) return true
      }
      return false
    },
  }
}

async function compileList(
  deps: PolicyListsDeps,
  state: { readonly nid: number; readonly map: StateMap },
): Promise<CompiledList> {
  const rules = await rulesOf(deps, state.map)
  const globsAbout = (about: PolicyRule['about']): GlobSet =>
    compileGlobSet(
      rules.filter((rule) => rule.about === about).map(({ entity }) => entity),
      NAME_CHARACTERS_MAX,
    )
  return { stateNid: state.nid, users: globsAbout('user'), servers: globsAbout('server') }
}

async function rulesOf(deps: PolicyListsDeps, map: StateMap): Promise<readonly PolicyRule[]> {
  const keys = await Promise.all([...POLICY_RULE_TYPES.keys()].map((type) => stateKeysOfType(deps.db, type)))
  const nids = keys
    .flat()
    .flatMap((key) => stateMapGet(map, key) ?? [])
    .slice(0, RULES_MAX)
  const rules: PolicyRule[] = []
  for (let start = 0; start < nids.length; start += EVENTS_PER_TURN) {
    await yieldToLoop()
    const events = await deps.events.byNids(nids.slice(start, start + EVENTS_PER_TURN))
    for (const { pdu } of events.values()) {
      const rule = banRuleOf(pdu)
      if (rule !== undefined) rules.push(rule)
    }
  }
  return rules
}
