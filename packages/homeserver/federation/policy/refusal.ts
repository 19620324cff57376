/** What a user is told whose event the policy server of the room did not sign. */
import { matrixError, type MatrixError } from '@holdfast/protocol/errors'
import type { FederationFailed } from '../transport/federation-failed.ts'
import type { PolicyAnswer, PolicyInUse } from './policy-servers.ts'

const WORDS_MAX = 1_000
const RETRY_AFTER_MS_MAX = 3_600_000
const BUSY_RETRY_AFTER_MS = 1_000

export function refusalOf(answer: Exclude<PolicyAnswer, { kind: 'signed' }>, { server }: PolicyInUse): MatrixError {
  if (answer.kind === 'busy') {
    return matrixError('M_LIMIT_EXCEEDED', `Too many events wait for ${server}, the policy server of this room.`, {
      extra: { retry_after_ms: BUSY_RETRY_AFTER_MS },
    })
  }
  if (answer.kind === 'refused') return answer.error
  const { error } = answer
  if (error === undefined)
    return matrixError('M_FORBIDDEN', `${server}, the policy server of this room, did not sign the event.`)
  if (error.errcode === 'M_FORBIDDEN') {
    return matrixError('M_FORBIDDEN', saidBy(error), { status: error.status === 400 ? 400 : 403 })
  }
  if (error.errcode === 'M_LIMIT_EXCEEDED') {
    const { retryAfterMs } = error
    const extra = retryAfterMs === undefined ? {} : { retry_after_ms: Math.min(retryAfterMs, RETRY_AFTER_MS_MAX) }
    return matrixError('M_LIMIT_EXCEEDED', saidBy(error), { extra })
  }
  return matrixError('M_FORBIDDEN', `The policy server of this room signs nothing now: ${error.message}`)
}

/** Its own words. <https://spec.matrix.org/v1.19/server-server-api/#validating-policy-server-signatures> */
function saidBy({ body, message }: FederationFailed): string {
  const said = body?.['error']
  return typeof said === 'string' && said !== '' ? said.slice(0, WORDS_MAX).toWellFormed() : message
}
