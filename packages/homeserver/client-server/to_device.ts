/** PUT /sendToDevice/{eventType}/{txnId}. <https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3sendtodeviceeventtypetxnid> */
import * as to_device from '@holdfast/api/generated/client-server/to_device'
import { entriesOf } from '@holdfast/api/operation'
import { sendToDevice as send } from '../to-device/send-to-device.ts'
import { route } from './route.ts'

export const sendToDevice = route(to_device.sendToDevice, async ({ deps, requester, params, body, request }) =>
  deps.transactions.once({
    deviceNid: requester.deviceNid,
    method: request.method,
    path: request.path,
    act: async (transaction) => {
      deps.rateLimiter.take({ limit: 'to_device', key: requester.userId })
      await send(deps, requester, { type: params.eventType, messages: entriesOf(body.messages), transaction })
      return {}
    },
    replay: async () => ({}),
  }),
)
