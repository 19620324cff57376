/** Times in headers. */

const IMF_DATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/

/** The preferred form of RFC 9110, section 5.6.7; undefined for anything else. */
export function parseHttpDate(text: string): number | undefined {
  const timeMs = IMF_DATE.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(timeMs) ? undefined : timeMs
}

/** `Retry-After`: seconds or a date (RFC 9110, section 10.2.3). */
export function parseRetryAfterMs(text: string, nowMs: number): number | undefined {
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000
  const dateMs = parseHttpDate(text)
  return dateMs === undefined ? undefined : Math.max(0, dateMs - nowMs)
}
