/** What mails and text messages are made of. */
import type { Mail } from '@holdfast/platform/mail/mail'

/** A mail without its receiver. */
export type MailText = Pick<Mail, 'subject' | 'text' | 'html'>

export type ValidationText = {
  readonly purpose: 'bind' | 'add' | 'register' | 'password' | 'login'
  readonly serverName: string
  /** The value of an Accept-Language header, or a language. */
  readonly languages: string | undefined
}

export type InvitationText = {
  readonly serverName: string
  readonly languages: string | undefined
  /** Always shown: the display name alone could be anybody's. */
  readonly sender: string
  readonly senderDisplayName?: string | undefined
  readonly roomName?: string | undefined
  readonly roomAlias?: string | undefined
  /** `m.space` makes it a space in the words of the mail. */
  readonly roomType?: string | undefined
  /** Where the person can go to accept; of the operator's making. */
  readonly link: string | undefined
}
