/** Users of another server, in rooms of a test homeserver, and what that server answers. */
import { isObject, type JsonObject } from '@holdfast/protocol/json/value'
import type { ServerName, UserId } from '@holdfast/protocol/ids/brand'
import type { Requester } from '../../accounts/requester.ts'
import type { Homeserver } from '../../homeserver.ts'
import { deviceOf } from '../../storage/devices.ts'
import { setMembership, type Membership } from '../../storage/memberships.ts'
import type { TestHomeserver, TestUser } from '../../testing/homeserver.ts'
import type { RemoteKeys } from '../remote-keys.ts'

export const FAR = 'far.example' as ServerName

export type RemoteWorld = {
  readonly deps: Homeserver
  /** The requests that were made, as `kind user`. */
  readonly asked: string[]
  /** Answers by request; without one the server is unreachable. */
  readonly answers: Map<string, JsonObject>
}

export function aRemoteWorld(server: TestHomeserver): RemoteWorld {
  const asked: string[] = []
  const answers = new Map<string, JsonObject>()
  const answer = async (request: string): Promise<JsonObject> => {
    asked.push(request)
    const said = answers.get(request)
    if (!isObject(said)) throw new Error('unreachable')
    return said
  }
  const remote: RemoteKeys = {
    query: (_server, users) => answer(`query ${[...users.keys()].join(' ')}`),
    claim: (_server, users) => answer(`claim ${[...users.keys()].join(' ')}`),
    devices: (_server, userId) => answer(`devices ${userId}`),
  }
  const { parts } = server
  return { deps: { ...parts, e2eKeys: { ...parts.e2eKeys, remote } }, asked, answers }
}

/** As if a member event had come from the other server. */
export async function moveRemote(
  { deps }: RemoteWorld,
  who: { readonly roomId: string; readonly userId: UserId; readonly membership: Membership },
): Promise<void> {
  const roomNid = (await deps.heads.roomNid(who.roomId as never))!
  const userNid = await deps.dictionary.internUser(who.userId)
  const head = await deps.heads.byNid(roomNid)
  const { eventNid } = (await deps.memberships.of([...head.members.joined][0]!)).get(roomNid)!
  const { membership } = who
  await deps.streams.commit([setMembership({ roomNid, userNid, membership, eventNid, positionOffset: 0 })], {
    positions: 1,
    publish: (position) => {
      if (membership === 'join') head.members.joined.add(userNid)
      else head.members.joined.delete(userNid)
      deps.memberships.changed(userNid)
      const { joined } = head.members
      deps.streams.roomChanged({ roomNid, position, joined, membershipChanged: [userNid] })
    },
  })
}

export async function requesterOf({ deps }: RemoteWorld, user: TestUser): Promise<Requester> {
  const userId = user.userId as UserId
  const userNid = (await deps.dictionary.userNid(userId))!
  const device = (await deviceOf(deps.db, { userNid, deviceId: user.deviceId }))!
  const deviceId = user.deviceId as Requester['deviceId']
  const rights = { isGuest: false, isAdmin: false, isSuspended: false }
  return { userId, userNid, deviceId, deviceNid: device.device_nid, ...rights }
}
