/** Validation sessions: how somebody proves that an e-mail address or a phone number is theirs. */
import type { Clock } from '@holdfast/platform/clock/clock'
import type { Database, Statement } from '@holdfast/platform/database/database'
import type { Log } from '@holdfast/platform/log/log'
import type { Mailer } from '@holdfast/platform/mail/mail'
import type { Random } from '@holdfast/platform/random/random'
import type { SmsSender } from '@holdfast/platform/sms/sms'
import type { ClientSecret, Sid } from '@holdfast/protocol/threepid/client-secret'
import type { Medium } from '@holdfast/protocol/threepid/medium'
import type { RateLimiter } from '../rate-limits/rate-limiter.ts'

/** What the proof is for. Who agreed to one thing by following a link has not agreed to another. */
export type Purpose = 'bind' | 'add' | 'register' | 'password' | 'login'

export type TokenRequest = {
  readonly medium: Medium
  /** Canonical. */
  readonly address: string
  /** Exactly what was given: an e-mail address, or an MSISDN. */
  readonly sendTo: string
  readonly clientSecret: ClientSecret
  readonly sendAttempt: number
  /** Where the browser goes after the proof; left out silently unless it is https on an allow-listed host. */
  readonly nextLink?: string | undefined
  readonly purpose: Purpose
  /** Who asks, for the rate limits: a user id, or `addressKey` of the client's address. */
  readonly sender: string
  /** The value of an Accept-Language header. */
  readonly languages?: string | undefined
  /** The link that mails carry. */
  linkFor(link: { readonly sid: Sid; readonly token: string }): string
}

export type SessionProof = { readonly sid: Sid; readonly clientSecret: ClientSecret }

export type TokenSubmission = SessionProof & {
  readonly token: string
  /** Whose tries are counted: `addressKey` of the client's address. */
  readonly sender: string
}

export type SubmittedToken =
  | {
      readonly isValidated: true
      readonly medium: Medium
      readonly address: string
      readonly purpose: Purpose
      /** Allow-listed already: the browser may be sent there. */
      readonly nextLink: string | undefined
    }
  | { readonly isValidated: false }

export type ValidatedSession = {
  readonly sid: Sid
  readonly medium: Medium
  readonly address: string
  /** As it was given: this is where later mails to this person go. */
  readonly sendTo: string
  readonly purpose: Purpose
  readonly validatedMs: number
}

export type SessionState = Omit<ValidatedSession, 'validatedMs'> & { readonly validatedMs: number | undefined }

export type Validation = {
  /**
   * Makes a session, or finds that of the same address, secret and purpose, and sends its token unless that was done for
   * this attempt or a later one.
   * @throws M_EMAIL_SEND_ERROR, M_SEND_ERROR, M_DESTINATION_REJECTED, M_LIMIT_EXCEEDED
   */
  requestToken(request: TokenRequest): Promise<{ readonly sid: Sid }>
  /**
   * A wrong token is an answer; ten of them end the session.
   * @throws M_NO_VALID_SESSION, M_SESSION_EXPIRED, M_LIMIT_EXCEEDED
   */
  submitToken(submission: TokenSubmission): Promise<SubmittedToken>
  /**
   * @param proof with `purposes`, a session for anything else is none
   * @throws M_NO_VALID_SESSION, M_SESSION_EXPIRED, M_SESSION_NOT_VALIDATED
   */
  validated(proof: SessionProof & { readonly purposes?: readonly Purpose[] }): Promise<ValidatedSession>
  /**
   * Without demanding that it is validated.
   * @throws M_NO_VALID_SESSION, M_SESSION_EXPIRED
   */
  session(proof: SessionProof): Promise<SessionState>
  /** Ends the session, in the commit that uses the proof: it breaks its expectation if the proof was used already. */
  removal(sid: Sid): Statement
  remove(sid: Sid): Promise<void>
  /** Removes what has expired. */
  sweep(nowMs: number): Promise<void>
}

export type ValidationSettings = {
  /** Who sends the mails, in the words of a person: a server name. */
  readonly serverName: string
  /** Hosts that a `next_link` may lead to, by https. */
  readonly nextLinkHosts: readonly string[]
}

export type ValidationDeps = {
  readonly db: Database
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly mailer: Mailer
  readonly sms: SmsSender
  readonly limiter: RateLimiter
  readonly settings: ValidationSettings
}
