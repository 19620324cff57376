/** Why another server did not do what it was asked for. */
import type { OutgoingFailure } from '@holdfast/platform/http/client'

export type FederationFailure =
  | OutgoingFailure
  /** It answered with an error of its own: `status` and, if it gave one, `errcode`. */
  | 'matrix-error'
  /** It failed before and is left alone for `retryAfterMs`; nothing was sent. */
  | 'backing-off'
  /** Ourselves: a mistake of the caller. */
  | 'own-server'

export type FederationFailedDetails = {
  readonly status?: number | undefined
  readonly errcode?: string | undefined
  readonly retryAfterMs?: number | undefined
  /** The whole error of the other server, for the few errors that carry more, such as room_version. */
  readonly body?: Readonly<Record<string, unknown>> | undefined
  readonly cause?: unknown
}

export class FederationFailed extends Error {
  readonly failure: FederationFailure
  readonly status: number | undefined
  readonly errcode: string | undefined
  readonly retryAfterMs: number | undefined
  readonly body: Readonly<Record<string, unknown>> | undefined
  constructor(failure: FederationFailure, message: string, details: FederationFailedDetails = {}) {
    super(message, { cause: details.cause })
    this.name = 'FederationFailed'
    this.failure = failure
    this.status = details.status
    this.errcode = details.errcode
    this.retryAfterMs = details.retryAfterMs
    this.body = details.body
  }
}
