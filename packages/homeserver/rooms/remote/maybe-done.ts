/** Whether another server may have done what it was asked for, though it did not answer that it had. */
import { OutgoingFailed } from '@holdfast/platform/http/client'
import { BadAnswer } from '../../federation/remote-rooms/ask.ts'
import { FederationFailed } from '../../federation/transport/federation-failed.ts'

/** The answer was lost, or cannot be read; who answers with an error of its own may be a proxy that did not wait. */
export function isMaybeDone(error: unknown): boolean {
  if (error instanceof BadAnswer) return true
  if (!(error instanceof FederationFailed)) return false
  if (error.status !== undefined) return error.status >= 500
  return error.cause instanceof OutgoingFailed && error.cause.maybeSent
}
