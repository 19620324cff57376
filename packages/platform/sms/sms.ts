/** Text messages that leave the house: what a sender must do, whichever it is. */

export type Sms = {
  /** MSISDN: digits with the country code, without a plus sign. */
  readonly to: string
  readonly text: string
}

export type SmsSender = {
  /**
   * Resolves when the provider has taken the message.
   * @throws {SmsFailed} nobody can be sure that it was taken
   */
  send(sms: Sms, options?: { readonly signal?: AbortSignal }): Promise<void>
}

export class SmsFailed extends Error {
  /** The number is refused: the same message will never be taken. */
  readonly isPermanent: boolean
  constructor(message: string, options: ErrorOptions & { readonly isPermanent: boolean }) {
    super(message, options)
    this.name = 'SmsFailed'
    this.isPermanent = options.isPermanent
  }
}
