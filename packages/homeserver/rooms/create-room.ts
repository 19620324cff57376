/** Making a room: all its first events in one commit, or no room at all. <https://spec.matrix.org/v1.19/client-server-api/#creation> */
import { matrixError, MatrixError } from '@holdfast/protocol/errors'
import { serverNameOf } from '@holdfast/protocol/ids/common'
import type { RoomAlias, RoomId, UserId } from '@holdfast/protocol/ids/brand'
import type { JsonObject } from '@holdfast/protocol/json/value'
import { DEFAULT_ROOM_VERSION, rulesFor, type RoomRules } from '@holdfast/protocol/room-version/rules'
import { memberProfile } from '../accounts/member-profile.ts'
import type { Requester } from '../accounts/requester.ts'
import type { Homeserver } from '../homeserver.ts'
import { insertAlias } from '../storage/aliases.ts'
import { insertPublishedRoom } from '../storage/published-rooms.ts'
import { createContent, defaultPowerLevels, presetState, type Preset } from './create-room-defaults.ts'
import { inviteRemoteUser, type InviteDeps } from './remote/invite-remote.ts'
import { assertAdmitsUs } from './room-acl.ts'
import type { NewRoomEvent, RoomDraft } from './room-draft.ts'

export type RoomCreation = {
  readonly preset: Preset
  readonly version?: string | undefined
  readonly alias?: RoomAlias | undefined
  readonly published: boolean
  readonly name?: string | undefined
  readonly topic?: string | undefined
  readonly invite: readonly UserId[]
  readonly isDirect: boolean
  readonly creationContent: JsonObject
  readonly initialState: readonly { readonly type: string; readonly stateKey: string; readonly content: JsonObject }[]
  readonly powerLevelOverride: JsonObject
}

type CreateDeps = InviteDeps &
  Pick<
    Homeserver,
    'roomQueue' | 'creationTimes' | 'clock' | 'random' | 'serverName' | 'db' | 'dictionary' | 'accounts' | 'settings'
  >

/**
 * @returns the id of the new room
 * @throws {MatrixError} M_UNSUPPORTED_ROOM_VERSION, M_INVALID_ROOM_STATE, M_ROOM_IN_USE
 */
export async function createRoom(deps: CreateDeps, requester: Requester, creation: RoomCreation): Promise<RoomId> {
  const rules = rulesFor(creation.version ?? deps.settings.defaultRoomVersion ?? DEFAULT_ROOM_VERSION)
  if (rules === undefined) {
    throw matrixError('M_UNSUPPORTED_ROOM_VERSION', `This server does not know room version ${creation.version}.`)
  }
  const events = await firstEvents(deps, requester, creation, rules)
  const roomId = rules.roomIdIsCreateHash ? undefined : (`!${deps.random.text(18)}:${deps.serverName}` as RoomId)
  const created = await deps.roomQueue.create({ rules, needs: { events }, roomId }, (draft) => {
    addAll(draft, events)
    addDirectoryEntries(draft, requester, creation)
    return { roomId: draft.roomId, roomNid: draft.room.roomNid }
  })
  await inviteFromElsewhere(deps, requester, { ...creation, roomNid: created.roomNid })
  return created.roomId
}

/**
 * Users of other servers are invited to a room that is there already, as their servers have to sign. The room does not depend on
 * them: an invitation that fails can be sent again.
 */
async function inviteFromElsewhere(
  deps: CreateDeps,
  requester: Requester,
  { roomNid, invite, isDirect }: Pick<RoomCreation, 'invite' | 'isDirect'> & { readonly roomNid: number },
): Promise<void> {
  const others = [...new Set(invite)].filter((userId) => serverNameOf(userId) !== deps.serverName)
  const content = { membership: 'invite', ...(isDirect ? { is_direct: true } : {}) }
  const servers = [...Map.groupBy(others, serverNameOf).values()].map(async (targets) => {
    for (const target of targets) {
      const originServerTs = deps.clock.nowMs()
      const event = { type: 'm.room.member', stateKey: target, sender: requester.userId, content, originServerTs }
      try {
        await inviteRemoteUser(deps, { roomNid, target, event, deviceNid: requester.deviceNid })
      } catch (error) {
        if (!(error instanceof MatrixError)) throw error
        deps.log.info({ room: roomNid, target, error: error.message }, 'cannot invite to a new room')
      }
    }
  })
  await Promise.all(servers)
}

/** What the authorisation rules answer. */
const REFUSALS: ReadonlySet<string> = new Set(['M_FORBIDDEN', 'M_INVALID_PARAM'])

/** @throws {MatrixError} M_INVALID_ROOM_STATE for what the room itself would not allow */
export function addAll(draft: RoomDraft, events: readonly NewRoomEvent[]): void {
  for (const event of events) {
    try {
      draft.add(event)
    } catch (error) {
      if (!(error instanceof MatrixError) || !REFUSALS.has(error.errcode)) throw error
      throw matrixError(
        'M_INVALID_ROOM_STATE',
        `The new room would not allow its ${event.type} event: ${error.message}`,
      )
    }
  }
}

function addDirectoryEntries(draft: RoomDraft, requester: Requester, creation: RoomCreation): void {
  const { alias } = creation
  const { roomNid } = draft.room
  if (alias !== undefined) {
    draft.also(insertAlias({ alias, roomNid, creatorNid: requester.userNid }), () =>
      matrixError('M_ROOM_IN_USE', `The alias ${alias} belongs to another room.`),
    )
  }
  if (creation.published) draft.also(insertPublishedRoom(roomNid))
}

/** In the order the specification gives; what stands later has the last word. */
async function firstEvents(
  deps: CreateDeps,
  requester: Requester,
  creation: RoomCreation,
  rules: RoomRules,
): Promise<readonly NewRoomEvent[]> {
  const { alias, invite } = creation
  const sender = requester.userId
  const given = new Set(creation.initialState.filter(({ stateKey }) => stateKey === '').map(({ type }) => type))
  const state: (readonly [type: string, stateKey: string, content: JsonObject])[] = [
    ['m.room.create', '', createContent(rules, sender, creation)],
    ['m.room.member', sender, { membership: 'join', ...(await memberProfile(deps, requester.userNid)) }],
    ['m.room.power_levels', '', defaultPowerLevels(rules, sender, creation)],
  ]
  if (alias !== undefined && !given.has('m.room.canonical_alias')) state.push(['m.room.canonical_alias', '', { alias }])
  for (const [type, content] of presetState(creation.preset)) if (!given.has(type)) state.push([type, '', content])
  for (const { type, stateKey, content } of creation.initialState) {
    if (type === 'm.room.server_acl' && stateKey === '') assertAdmitsUs(deps, content)
    state.push([type, stateKey, content])
  }
  if (creation.name !== undefined) state.push(['m.room.name', '', { name: creation.name }])
  if (creation.topic !== undefined) {
    const topic = { topic: creation.topic, 'm.topic': { 'm.text': [{ body: creation.topic }] } }
    state.push(['m.room.topic', '', topic])
  }
  for (const userId of new Set(invite.filter((one) => serverNameOf(one) === deps.serverName)))
    state.push(['m.room.member', userId, await inviteContent(deps, userId, creation)])
  const originServerTs = deps.creationTimes.next({ userNid: requester.userNid, nowMs: deps.clock.nowMs() })
  return state.map(([type, stateKey, content]) => ({ type, stateKey, sender, content, originServerTs }))
}

async function inviteContent(deps: CreateDeps, userId: UserId, creation: RoomCreation): Promise<JsonObject> {
  const profile = await memberProfile(deps, await deps.dictionary.internUser(userId))
  return { membership: 'invite', ...(creation.isDirect ? { is_direct: true } : {}), ...profile }
}
