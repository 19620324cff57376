/** Knocking at a room through a server that is in it. <https://spec.matrix.org/v1.19/server-server-api/#knocking-upon-a-room> */
import type { RoomId, ServerName } from '@holdfast/protocol/ids/brand'
import type { JsonObject } from '@holdfast/protocol/json/value'
import { TIME_LIMITS } from '@holdfast/protocol/limits'
import type { Requester } from '../../accounts/requester.ts'
import { ask, part, type Asking } from '../../federation/remote-rooms/ask.ts'
import { candidateServers } from './candidates.ts'
import type { RemoteDeps } from './join-remote.ts'
import { ensureRoom, setOutsideMembership } from './outside-room.ts'
import { strippedTexts } from './stripped.ts'
import { askTemplate, eventFromTemplate } from './templates.ts'
import { tryServers } from './try-servers.ts'

export type RemoteKnock = {
  readonly roomId: RoomId
  readonly servers: readonly ServerName[]
  readonly content: JsonObject
}

/** @throws {MatrixError} what the servers said */
export async function knockOnRemoteRoom(
  deps: RemoteDeps,
  requester: Pick<Requester, 'userId' | 'userNid' | 'deviceNid'>,
  { roomId, servers, content }: RemoteKnock,
): Promise<void> {
  const { userId, userNid, deviceNid } = requester
  await deps.inboxes.run(roomId, async () => {
    const head = await deps.heads.byId(roomId)
    const candidates = await candidateServers(deps, { roomId, head, named: servers, userNid })
    await tryServers(candidates, async (server) => {
      const asking: Asking = {
        client: deps.federation.client,
        server,
        urgent: true,
        deadlineMs: TIME_LIMITS.federationMakeMs,
      }
      const template = await askTemplate(asking, 'knock', { roomId, userId })
      const incoming = eventFromTemplate(deps, template, { asking, roomId, userId, content })
      const { pdu, json } = incoming.parsed
      const path = `/_matrix/federation/v1/send_knock/${part(roomId)}/${part(pdu.eventId)}`
      const answer = await ask(asking, { method: 'PUT', path, body: JSON.parse(json) as JsonObject })
      const room = await ensureRoom(deps, roomId, template.rules)
      const stripped = strippedTexts(answer['knock_room_state'])
      const transaction = { deviceNid, transactionId: undefined }
      await setOutsideMembership(deps, room, { userId, membership: 'knock', incoming, stripped, transaction })
    })
  })
}
