/** PUT /_matrix/federation/v1/send/{txnId}. <https://spec.matrix.org/v1.19/server-server-api/#transactions> */
import * as transactions from '@holdfast/api/generated/server-server/transactions'
import { matrixError } from '@holdfast/protocol/errors'
import { isObject, type JsonValue } from '@holdfast/protocol/json/value'
import { SPEC_LIMITS } from '@holdfast/protocol/limits'
import { receiveEdus } from '../federation/edus/receive-edus.ts'
import type { ReceivedValue } from '../rooms/receive/check-incoming.ts'
import { receiveTransactionPdus } from '../rooms/receive/receive-transaction.ts'
import { federationRoute } from './route.ts'

export const sendTransaction = federationRoute(
  transactions.sendTransaction,
  async ({ deps, origin, params, body, exactBody }) => {
    const { pdus, edus = [] } = body
    if (pdus.length > SPEC_LIMITS.transactionPdusMax || edus.length > SPEC_LIMITS.transactionEdusMax) {
      throw matrixError(
        'M_BAD_JSON',
        `A transaction has at most ${SPEC_LIMITS.transactionPdusMax} PDUs and ${SPEC_LIMITS.transactionEdusMax} EDUs.`,
      )
    }
    return deps.federationTransactions.once(origin, params.txnId, async () => {
      const results = await receiveTransactionPdus(deps, origin, receivedValues(pdus, exactBody()))
      await receiveEdus(deps, origin, edus.filter(isObject))
      return { pdus: Object.fromEntries(results) }
    })
  },
)

function receivedValues(pdus: readonly JsonValue[], exact: JsonValue | undefined): readonly ReceivedValue[] {
  const exactPdus =
    isObject(exact) && Array.isArray(exact['pdus']) ? (exact['pdus'] as readonly JsonValue[]) : undefined
  return pdus.flatMap((value, index) => {
    if (!isObject(value)) return []
    const exactValue = exactPdus?.[index]
    return [{ value, exact: isObject(exactValue) ? exactValue : undefined }]
  })
}
