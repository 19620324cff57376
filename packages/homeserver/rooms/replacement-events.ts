/** What a room that replaces another begins with: what the old one said of itself, and whom it had banned. */
import { creatorsAboveAll } from '@holdfast/protocol/auth/auth-state'
import type { EventId } from '@holdfast/protocol/ids/brand'
import type { JsonObject } from '@holdfast/protocol/json/value'
import { memberProfile } from '../accounts/member-profile.ts'
import type { Requester } from '../accounts/requester.ts'
import { localPart } from './canonical-alias.ts'
import { createContent } from './create-room-defaults.ts'
import { allStateEvents, stateEventAt, stateEventsAt } from './current-state.ts'
import type { StoredEvent } from './event-store.ts'
import { presentMemberEvents } from './member-events.ts'
import { replacementLevels } from './replacement-levels.ts'
import type { NewRoomEvent } from './room-draft.ts'
import type { Replacement, UpgradeDeps } from './upgrade-room.ts'

/** Besides power levels, aliases, bans and the children of a space. <https://spec.matrix.org/v1.19/client-server-api/#room-upgrades> */
const CARRIED = [
  'm.room.join_rules',
  'm.room.history_visibility',
  'm.room.guest_access',
  'm.room.name',
  'm.room.topic',
  'm.room.avatar',
  'm.room.encryption',
  'm.room.server_acl',
]

type Content = readonly [type: string, stateKey: string, content: JsonObject]

export async function replacementEvents(
  deps: UpgradeDeps,
  requester: Requester,
  replacement: Replacement,
  tombstoneId: EventId | undefined,
): Promise<readonly NewRoomEvent[]> {
  const { head } = replacement
  const create = (await stateEventAt(deps, head.state.map, { type: 'm.room.create', stateKey: '' }))!
  const levels = await levelsOf(deps, requester, replacement, create)
  const events: Content[] = [
    ['m.room.create', '', createOf(requester, replacement, create, tombstoneId)],
    ['m.room.member', requester.userId, { membership: 'join', ...(await memberProfile(deps, requester.userNid)) }],
    ['m.room.power_levels', '', levels.toBuild],
    ...(await carriedState(deps, replacement)),
    ...(await bans(deps, replacement)),
  ]
  if (levels.toStay !== undefined) events.push(['m.room.power_levels', '', levels.toStay])
  const originServerTs = deps.creationTimes.next({ userNid: requester.userNid, nowMs: deps.clock.nowMs() })
  return events.map(([type, stateKey, content]) => ({
    type,
    stateKey,
    sender: requester.userId,
    content,
    originServerTs,
  }))
}

function createOf(
  requester: Requester,
  { head, rules, additionalCreators }: Replacement,
  create: StoredEvent,
  tombstoneId: EventId | undefined,
): JsonObject {
  const { type, 'm.federate': federate } = create.pdu.content
  const creationContent: JsonObject = {
    ...(type === undefined ? {} : { type }),
    ...(federate === undefined ? {} : { 'm.federate': federate }),
    predecessor: { room_id: head.roomId, ...(tombstoneId === undefined ? {} : { event_id: tombstoneId }) },
    ...(rules.creatorsAboveAll && additionalCreators.length > 0 ? { additional_creators: additionalCreators } : {}),
  }
  return createContent(rules, requester.userId, { creationContent, preset: 'private_chat', invite: [] })
}

async function levelsOf(deps: UpgradeDeps, requester: Requester, replacement: Replacement, create: StoredEvent) {
  const { head, rules, additionalCreators } = replacement
  const present = await stateEventAt(deps, head.state.map, { type: 'm.room.power_levels', stateKey: '' })
  return replacementLevels(rules, {
    oldRules: head.rules,
    oldContent: present?.pdu.content,
    oldCreators: creatorsAboveAll(head.rules, create.pdu),
    upgrader: requester.userId,
    newCreators: [requester.userId, ...additionalCreators],
  })
}

async function carriedState(deps: UpgradeDeps, { head }: Replacement): Promise<readonly Content[]> {
  const keys = CARRIED.map((type) => ({ type, stateKey: '' }))
  const carried = (await stateEventsAt(deps, head.state.map, keys)).map(contentOf)
  const alias = await stateEventAt(deps, head.state.map, { type: 'm.room.canonical_alias', stateKey: '' })
  const aliases = alias === undefined ? undefined : localPart(deps, alias.pdu.content).local
  if (aliases !== undefined && Object.keys(aliases).length > 0) carried.push(['m.room.canonical_alias', '', aliases])
  return [...carried, ...(await childrenOfSpace(deps, head.state.map))]
}

/** A space without the rooms in it would not be what it was. */
async function childrenOfSpace(
  deps: UpgradeDeps,
  state: Replacement['head']['state']['map'],
): Promise<readonly Content[]> {
  const create = await stateEventAt(deps, state, { type: 'm.room.create', stateKey: '' })
  if (create?.pdu.content['type'] !== 'm.space') return []
  const events = await allStateEvents(deps, state)
  return events.filter(({ pdu }) => pdu.type === 'm.space.child' && Array.isArray(pdu.content['via'])).map(contentOf)
}

async function bans(deps: UpgradeDeps, { head }: Replacement): Promise<readonly Content[]> {
  const banned = await presentMemberEvents(deps, head, ['ban'])
  return banned.map(({ pdu }) => {
    const { reason } = pdu.content
    return ['m.room.member', pdu.stateKey!, { membership: 'ban', ...(reason === undefined ? {} : { reason }) }]
  })
}

function contentOf({ pdu }: StoredEvent): Content {
  return [pdu.type, pdu.stateKey!, pdu.content]
}
