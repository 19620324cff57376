/** Mail that leaves the house: what a mailer must do, whichever it is. */

export type Mail = {
  /** One address, without a name. */
  readonly to: string
  readonly subject: string
  readonly text: string
  readonly html: string
  /** Without angle brackets. The same one lets a mail that is sent twice be recognised; by default a random one. */
  readonly messageId?: string
}

export type Mailer = AsyncDisposable & {
  /**
   * Resolves when the mail server has taken the mail.
   * @throws {MailFailed} nobody can be sure that it was taken
   */
  send(mail: Mail, options?: { readonly signal?: AbortSignal }): Promise<void>
}

export class MailFailed extends Error {
  /** The address or the mail is refused: the same mail will never be taken. */
  readonly isPermanent: boolean
  constructor(message: string, options: ErrorOptions & { readonly isPermanent: boolean }) {
    super(message, options)
    this.name = 'MailFailed'
    this.isPermanent = options.isPermanent
  }
}
