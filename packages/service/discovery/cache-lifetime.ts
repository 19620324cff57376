/** How long a response may be used again, by its headers (RFC 9111). */
import { parseHttpDate } from '@holdfast/platform/http/http-date'

type Headers = Readonly<Record<string, string | undefined>>

/** Undefined where the headers do not say. */
export function cacheLifetimeMs(headers: Headers, nowMs: number): number | undefined {
  const directives = (headers['cache-control'] ?? '')
    .toLowerCase()
    .split(',')
    .map((one) => one.trim())
  if (directives.includes('no-store') || directives.includes('no-cache')) return 0
  const maxAge = directives.find((one) => one.startsWith('max-age='))
  if (maxAge !== undefined) {
    const seconds = wholeSeconds(maxAge.slice('max-age='.length).replaceAll('"', ''))
    return seconds === undefined ? 0 : Math.max(0, seconds - (wholeSeconds(headers['age'] ?? '') ?? 0)) * 1000
  }
  const expires = headers['expires']
  if (expires === undefined) return undefined
  // "0" and other invalid dates say that it has expired: RFC 9111, section 5.3.
  return Math.max(0, (parseHttpDate(expires) ?? nowMs) - nowMs)
}

function wholeSeconds(text: string): number | undefined {
  return /^\d{1,12}$/.test(text) ? Number(text) : undefined
}
