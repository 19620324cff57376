/** The kinds of third-party identifiers. <https://spec.matrix.org/v1.19/appendices/#3pid-types> */

export type Medium = 'email' | 'msisdn'

export function parseMedium(raw: string): Medium | undefined {
  return raw === 'email' || raw === 'msisdn' ? raw : undefined
}
