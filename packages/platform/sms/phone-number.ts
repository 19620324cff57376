/** Phone numbers in their canonical form. <https://spec.matrix.org/v1.19/appendices/#pstn-phone-numbers> */
import { isSupportedCountry, parsePhoneNumberFromString } from 'libphonenumber-js/max'

export type PhoneNumber = {
  /** Digits with the country code, without a plus sign. */
  readonly msisdn: string
  /** ISO 3166-1 alpha-2; the calling code where a number belongs to no country. */
  readonly country: string
  /** Whether there can be such a number: its length fits its country. */
  readonly isPossible: boolean
}

const RAW_LENGTH_MAX = 64

/**
 * @param country ISO 3166-1 alpha-2: where the number is dialled from. Without it the number must be international,
 *   with or without a plus sign.
 */
export function parsePhoneNumber(raw: string, country?: string): PhoneNumber | undefined {
  if (raw.length > RAW_LENGTH_MAX) return undefined
  const parsed = country === undefined ? international(raw) : dialledFrom(raw, country)
  // An extension cannot be texted.
  if (parsed === undefined || parsed.ext !== undefined) return undefined
  return {
    msisdn: parsed.number.slice(1),
    country: parsed.country ?? parsed.countryCallingCode,
    isPossible: parsed.isPossible(),
  }
}

function international(raw: string) {
  return parsePhoneNumberFromString(raw.startsWith('+') ? raw : `+${raw}`, { extract: false })
}

function dialledFrom(raw: string, country: string) {
  const upper = country.toUpperCase()
  return isSupportedCountry(upper)
    ? parsePhoneNumberFromString(raw, { defaultCountry: upper, extract: false })
    : undefined
}
