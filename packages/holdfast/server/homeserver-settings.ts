/** What the homeserver needs to know of the configuration. */
import type { HomeserverSettings, RateLimitClass } from '@holdfast/homeserver/settings'
import type { Config } from '@holdfast/platform/config/keys'
import type { RateLimits } from '@holdfast/platform/config/rate-limits'

/** A limit that nobody reaches: single classes can be off while others hold. */
const UNREACHABLE = { perSecond: 1e9, burst: 1e9 }

export function homeserverSettings(config: Config): HomeserverSettings {
  return {
    publicBaseUrl: config.publicUrl,
    registration: config.registration,
    registrationSharedSecret: config.registrationSharedSecret?.reveal(),
    guests: config.guests,
    presence: config.presence,
    terms: termsOf(config),
    rateLimits: rateLimitsOf(config.rateLimits),
  }
}

function termsOf({ termsUrl: url, termsName: name, termsVersion: version }: Config): HomeserverSettings['terms'] {
  return url === undefined ? [] : [{ id: 'terms', version, translations: { en: { name, url } } }]
}

function rateLimitsOf(limits: RateLimits): HomeserverSettings['rateLimits'] {
  const given = Object.entries(limits)
  if (given.every(([, limit]) => limit === undefined)) return undefined
  const filled = given.map(([name, limit]) => [name, limit ?? UNREACHABLE])
  return Object.fromEntries(filled) as Record<RateLimitClass, { perSecond: number; burst: number }>
}
