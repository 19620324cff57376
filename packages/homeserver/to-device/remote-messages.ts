/** Messages for devices of other servers' users, as EDUs that wait until their server has them. <https://spec.matrix.org/v1.19/server-server-api/#send-to-device-messaging> */
import type { Statement } from '@holdfast/platform/database/database'
import { matrixError } from '@holdfast/protocol/errors'
import type { ServerName, UserId } from '@holdfast/protocol/ids/brand'
import { serverNameOf } from '@holdfast/protocol/ids/common'
import { parseUserId } from '@holdfast/protocol/ids/user-id'
import { INPUT_LIMITS } from '@holdfast/protocol/limits'
import type { Homeserver } from '../homeserver.ts'
import { insertOutgoingEdu } from '../storage/outbox.ts'
import type { Messages } from './deliver.ts'

/** Clients send to 20 to 250 users at once; this is for those who would have us knock at the whole internet's doors. */
const SERVERS_MAX = 500
const MESSAGE_ID_CHARACTERS = 24

export type RemoteMessages = {
  readonly servers: readonly ServerName[]
  readonly statements: readonly Statement[]
  /** The positions that the statements take. */
  readonly positions: number
}

type Sending = { readonly senderId: UserId; readonly type: string; readonly messages: Messages }
type OneMessage = { readonly userId: string; readonly deviceId: string; readonly text: string }

/** @throws {MatrixError} M_TOO_LARGE if they are for too many servers */
export function remoteMessages(deps: Pick<Homeserver, 'random' | 'serverName'>, sending: Sending): RemoteMessages {
  const byServer = new Map<ServerName, OneMessage[]>()
  for (const [raw, byDevice] of sending.messages) {
    const userId = parseUserId(raw)
    if (userId === undefined || serverNameOf(userId) === deps.serverName) continue
    const server = serverNameOf(userId)
    const list = byServer.get(server) ?? []
    for (const [deviceId, content] of Object.entries(byDevice)) {
      list.push({ userId, deviceId, text: JSON.stringify(content) })
    }
    if (list.length > 0) byServer.set(server, list)
  }
  if (byServer.size > SERVERS_MAX) {
    throw matrixError('M_TOO_LARGE', `Messages can be sent to users of at most ${SERVERS_MAX} other servers at once.`)
  }
  const edus = [...byServer].map(([server, list]) => ({ server, texts: eduTexts(deps, sending, list) }))
  return {
    servers: [...byServer.keys()],
    // Two for one server take different positions, and are told in this order.
    statements: edus.flatMap(({ server, texts }) =>
      texts.map((edu, positionOffset) => insertOutgoingEdu({ positionOffset, destination: server, edu })),
    ),
    positions: Math.max(0, ...edus.map(({ texts }) => texts.length)),
  }
}

/** As few as there can be without one that is larger than what other servers take. */
function eduTexts(
  { random }: Pick<Homeserver, 'random'>,
  { senderId, type }: Sending,
  messages: readonly OneMessage[],
): readonly string[] {
  return portions(messages).map((portion) => {
    const byUser = [...Map.groupBy(portion, ({ userId }) => userId)].map(([userId, ofUser]) => {
      const devices = ofUser.map(({ deviceId, text }) => `${JSON.stringify(deviceId)}:${text}`)
      return `${JSON.stringify(userId)}:{${devices.join(',')}}`
    })
    const said = { sender: senderId, type, message_id: random.text(MESSAGE_ID_CHARACTERS) }
    const content = `${JSON.stringify(said).slice(0, -1)},"messages":{${byUser.join(',')}}}`
    return `{"edu_type":"m.direct_to_device","content":${content}}`
  })
}

function portions(messages: readonly OneMessage[]): readonly (readonly OneMessage[])[] {
  const all: OneMessage[][] = []
  let bytes = Number.POSITIVE_INFINITY
  for (const message of messages) {
    const size = Buffer.byteLength(message.text) + Buffer.byteLength(message.userId) + message.deviceId.length
    if (bytes + size > INPUT_LIMITS.toDeviceEduBytesMax) {
      all.push([])
      bytes = 0
    }
    all.at(-1)!.push(message)
    bytes += size
  }
  return all
}
