/** Rate limits by class: so many a second on average, and a burst that may be spent at once. */
import { nearestWord } from './nearest.ts'
import { accept, type Kind, type Parsed, refuse, show } from './kinds.ts'

export type RateLimit = { readonly perSecond: number; readonly burst: number }

type ClassDoc = RateLimit & { readonly doc: string }

/**
 * After what peers use (Synapse's defaults stop a lively chat at its eleventh message), with room for a family or a
 * school class behind one address.
 */
export const RATE_LIMIT_CLASSES = {
  message: { perSecond: 5, burst: 60, doc: 'Events sent by one user.' },
  to_device: { perSecond: 20, burst: 200, doc: 'To-device requests of one user.' },
  registration: { perSecond: 0.1, burst: 10, doc: 'Registrations from one address.' },
  registration_token_validity: {
    perSecond: 0.1,
    burst: 5,
    doc: 'Questions from one address whether a registration token is valid.',
  },
  login_address: { perSecond: 0.2, burst: 20, doc: 'Logins from one address.' },
  login_account: { perSecond: 0.2, burst: 20, doc: 'Logins to one account.' },
  login_failed: { perSecond: 0.05, burst: 5, doc: 'Failed logins to one account.' },
  join: { perSecond: 0.5, burst: 30, doc: 'Joins and knocks by one user.' },
  invite_per_room: { perSecond: 0.3, burst: 30, doc: 'Invites into one room.' },
  invite_per_user: { perSecond: 0.03, burst: 10, doc: 'Invites to one user.' },
  room_creation: { perSecond: 0.1, burst: 20, doc: 'Rooms created by one user.' },
  profile: { perSecond: 1, burst: 60, doc: 'Profile changes by one user.' },
  presence: { perSecond: 0.2, burst: 5, doc: 'Presence changes by one user.' },
  policy_signature: {
    perSecond: 1,
    burst: 30,
    doc: 'Events of one user in one room that this server signs as a policy server.',
  },
  user_directory: { perSecond: 2, burst: 60, doc: 'Searches in the user directory by one user.' },
} as const satisfies Record<string, ClassDoc>

export type RateLimitClass = keyof typeof RATE_LIMIT_CLASSES

/** `undefined`: this class is not limited. */
export type RateLimits = Readonly<Record<RateLimitClass, RateLimit | undefined>>

const CLASS_NAMES = Object.keys(RATE_LIMIT_CLASSES) as RateLimitClass[]
const RATE = /^(\d{1,6}(?:\.\d{1,6})?)\/(\d{1,6})$/

export const DEFAULT_RATE_LIMITS: RateLimits = fill((name) => plain(RATE_LIMIT_CLASSES[name]))
const UNLIMITED: RateLimits = fill(() => undefined)

export const rateLimits: Kind<RateLimits> = {
  label: '`on`, `off`, or a map of class to `per second/burst` or `off`',
  schema: {
    oneOf: [
      { enum: ['on', 'off', true, false] },
      {
        type: 'object',
        additionalProperties: false,
        properties: Object.fromEntries(
          CLASS_NAMES.map((name) => [name, { type: ['string', 'boolean'], pattern: `off|${RATE.source}` }]),
        ),
      },
    ],
  },
  secret: false,
  parse: (raw) => {
    if (raw === 'off' || raw === false) return accept(UNLIMITED)
    if (raw === 'on' || raw === true) return accept(DEFAULT_RATE_LIMITS)
    if (typeof raw === 'string') return parsePairs(raw)
    if (typeof raw === 'object' && raw !== null && !Array.isArray(raw)) return parseMap(Object.entries(raw))
    return refuse(`must be on, off, or a map of classes, not ${show(raw)}`)
  },
}

/** `message=5/60,login=off`, the form for variables and flags. */
function parsePairs(raw: string): Parsed<RateLimits> {
  const pairs = raw.split(',').map((pair): [string, unknown] => {
    const equals = pair.indexOf('=')
    return [pair.slice(0, Math.max(0, equals)).trim(), pair.slice(equals + 1).trim()]
  })
  return parseMap(pairs)
}

function parseMap(entries: readonly [string, unknown][]): Parsed<RateLimits> {
  const limits: Record<RateLimitClass, RateLimit | undefined> = { ...DEFAULT_RATE_LIMITS }
  for (const [name, value] of entries) {
    const found = CLASS_NAMES.find((one) => one === name)
    if (found === undefined) return refuse(`has no class "${name}"${didYouMean(name)}`, name)
    const off = value === 'off' || value === false
    const match = typeof value === 'string' ? RATE.exec(value) : null
    const rate = match === null ? undefined : { perSecond: Number(match[1]), burst: Number(match[2]) }
    if (!off && (rate === undefined || rate.perSecond <= 0 || rate.burst < 1)) {
      return refuse(`${name} must be off or per second/burst, such as 5/60, not ${show(value)}`, name)
    }
    limits[found] = off ? undefined : rate
  }
  return accept(Object.freeze(limits))
}

function didYouMean(name: string): string {
  const nearest = nearestWord(name, CLASS_NAMES)
  return nearest === undefined ? '' : `; did you mean "${nearest}"?`
}

function fill(limitOf: (name: RateLimitClass) => RateLimit | undefined): RateLimits {
  const entries = CLASS_NAMES.map((name) => [name, limitOf(name)] as const)
  return Object.freeze(Object.fromEntries(entries) as Record<RateLimitClass, RateLimit | undefined>)
}

function plain(limit: RateLimit): RateLimit {
  return Object.freeze({ perSecond: limit.perSecond, burst: limit.burst })
}
