/** E-mail addresses as third-party identifiers. The rules are written down in README.md of this folder. */
import type { Brand } from '../ids/brand.ts'
import { foldCase } from './case-folding.ts'

/** Canonical: two of them are one identifier exactly if they are equal. */
export type EmailAddress = Brand<'EmailAddress'>

export type ParsedEmailAddress = {
  readonly address: EmailAddress
  /** Exactly what was given: this is where mails go, so that the proof is of the very mailbox that was named. */
  readonly sendTo: string
}

export const EMAIL_ADDRESS_BYTES_MAX = 500
const DOMAIN_LENGTH_MAX = 253

/** RFC 5322 dot-atom, and letters, marks and digits of all scripts (RFC 6531). No quoting, no comments, no spaces. */
const LOCAL_PART = /^(?:[\w!#$%&'*+/=?^`{|}~-]|(?!\p{ASCII}|\p{DI})[\p{L}\p{M}\p{N}])+$/u
const LABEL = /^(?!-)(?:[0-9A-Za-z-]|(?!\p{ASCII}|\p{DI})[\p{L}\p{M}\p{N}]){1,63}(?<!-)$/u

/**
 * An address that may be proven, bound and stored. Refused is what another address could be mistaken for or merged
 * with: characters beyond ASCII that folding or compatibility (NFKC) would change. So for an accepted address the
 * canonical form differs from the given one in the case of ASCII letters only.
 */
export function parseEmailAddress(raw: string): ParsedEmailAddress | undefined {
  const address = lowerAscii(raw)
  if (!isAddress(raw) || foldCase(raw) !== address) return undefined
  return { address: address as EmailAddress, sendTo: raw }
}

/**
 * The canonical form of an address that somebody asks about: to look it up, never to bind it or to send mail to it.
 * <https://spec.matrix.org/v1.19/appendices/#e-mail>
 */
export function foldEmailAddress(raw: string): EmailAddress | undefined {
  const composed = raw.length > EMAIL_ADDRESS_BYTES_MAX ? '' : foldCase(raw).normalize('NFC')
  return isAddress(composed) ? (composed as EmailAddress) : undefined
}

function isAddress(raw: string): boolean {
  if (raw.length > EMAIL_ADDRESS_BYTES_MAX || Buffer.byteLength(raw) > EMAIL_ADDRESS_BYTES_MAX) return false
  if (raw.normalize('NFKC') !== raw) return false
  const [local, domain, ...others] = raw.split('@')
  if (local === undefined || domain === undefined || others.length > 0) return false
  return local.split('.').every((atom) => LOCAL_PART.test(atom)) && isDomain(domain)
}

/** No address literals: a certificate for them is not to be had, and nobody is known by one. */
function isDomain(domain: string): boolean {
  return domain.length <= DOMAIN_LENGTH_MAX && domain.split('.').every((label) => LABEL.test(label))
}

function lowerAscii(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase())
}
