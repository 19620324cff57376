/** Sending messages to devices: each transaction once, durable before it is answered. <https://spec.matrix.org/v1.19/client-server-api/#send-to-device-messaging> */
import { ExpectationFailed, type Statement } from '@holdfast/platform/database/database'
import type { Requester } from '../accounts/requester.ts'
import type { Homeserver } from '../homeserver.ts'
import type { ClientTransaction } from '../transactions/transactions.ts'
import {
  assertMessageType,
  deliveryStatements,
  localDeliveries,
  messageTexts,
  publishDeliveries,
  type Delivery,
  type Messages,
} from './deliver.ts'
import { remoteMessages, type RemoteMessages } from './remote-messages.ts'

export type ToDeviceSending = {
  readonly type: string
  readonly messages: Messages
  readonly transaction: ClientTransaction
}

type SendDeps = Pick<Homeserver, 'db' | 'dictionary' | 'serverName' | 'streams' | 'random' | 'outgoing'>

/**
 * Users and devices that are not here are passed over: they may be gone since the client looked.
 * @throws {MatrixError} M_INVALID_PARAM for an impossible type, M_TOO_LARGE for a message no other server would take
 */
export async function sendToDevice(
  deps: SendDeps,
  { userId: senderId }: Requester,
  { type, messages, transaction }: ToDeviceSending,
): Promise<void> {
  assertMessageType(type)
  const texts = messageTexts(senderId, { type, messages })
  const remote = remoteMessages(deps, { senderId, type, messages })
  const deliveries = await localDeliveries(deps, texts)
  const statements = [...deliveryStatements(deps, deliveries), ...remote.statements, transaction.remember(0)]
  try {
    await commit(deps, statements, { deliveries, remote })
  } catch (error) {
    // Only the memory of the transaction has an expectation that can fail: another process was faster with the same request.
    if (!(error instanceof ExpectationFailed)) throw error
  }
}

async function commit(
  deps: SendDeps,
  statements: readonly Statement[],
  { deliveries, remote }: { readonly deliveries: readonly Delivery[]; readonly remote: RemoteMessages },
): Promise<void> {
  const positions = Math.max(deliveries.length > 0 ? 1 : 0, remote.positions)
  if (positions === 0) {
    await deps.db.commit(statements)
    return
  }
  await deps.streams.commit(statements, {
    positions,
    publish: (position) => {
      publishDeliveries(deps, deliveries, position)
      if (remote.servers.length > 0) deps.outgoing.wake(remote.servers)
    },
  })
}
