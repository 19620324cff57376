/** The kinds of settings: how a raw value from a file, a variable or a flag becomes a typed one, and how it is described. */
import { type AddressRanges, addressRanges, parseRange } from '../http/address-ranges.ts'
import { type ListenAddress, parseListenAddress } from '../http/listen.ts'
import { Secret } from './secret.ts'

/** `at` names the member of a compound value that is wrong. */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly message: string; readonly at?: string }

export type Kind<T> = {
  /** For the docs page: `text`, `duration`, `list of paths` ... */
  readonly label: string
  readonly schema: Readonly<Record<string, unknown>>
  readonly secret: boolean
  /** Strings come from everywhere; numbers, booleans, lists and maps only from a file. */
  parse(raw: unknown): Parsed<T>
}

export function accept<T>(value: T): Parsed<T> {
  return { ok: true, value }
}

export function refuse(
  message: string,
  at?: string,
): { readonly ok: false; readonly message: string; readonly at?: string } {
  return at === undefined ? { ok: false, message } : { ok: false, message, at }
}

type Check = { readonly pattern?: RegExp; readonly what: string }

export function text(check: Check = { what: 'text' }): Kind<string> {
  return {
    label: check.what,
    schema: { type: 'string', ...(check.pattern === undefined ? {} : { pattern: check.pattern.source }) },
    secret: false,
    parse: (raw) => {
      if (typeof raw === 'number' || typeof raw === 'boolean')
        return refuse(`must be text; write it in quotes: "${raw}"`)
      if (typeof raw !== 'string') return refuse('must be text')
      if (raw === '') return refuse('must not be empty')
      if (check.pattern !== undefined && !check.pattern.test(raw)) return refuse(`must be ${check.what}, not "${raw}"`)
      return accept(raw)
    },
  }
}

export const path = text({ what: 'path' })

/** The value is never repeated in a message. */
export function secret(check: Check = { what: 'secret text' }): Kind<Secret> {
  return {
    label: check.what,
    schema: { type: 'string' },
    secret: true,
    parse: (raw) => {
      if (typeof raw !== 'string') return refuse('must be text; write it in quotes')
      if (raw === '') return refuse('must not be empty')
      if (check.pattern !== undefined && !check.pattern.test(raw)) return refuse(`must be ${check.what}`)
      return accept(new Secret(raw))
    },
  }
}

export function url(schemes: readonly string[]): Kind<string> {
  return {
    label: 'URL',
    schema: { type: 'string', format: 'uri' },
    secret: false,
    parse: (raw) => {
      if (typeof raw !== 'string' || !URL.canParse(raw)) return refuse('must be a URL')
      const parsed = new URL(raw)
      if (!schemes.includes(parsed.protocol.slice(0, -1)))
        return refuse(`must start with ${schemes.join(':// or ')}://`)
      if (parsed.search !== '' || parsed.hash !== '') return refuse('must not have a query or fragment')
      return accept(raw.replace(/\/+$/, ''))
    },
  }
}

export function choice<const T extends string>(values: readonly T[]): Kind<T> {
  return {
    label: values.map((value) => `\`${value}\``).join(', '),
    schema: { enum: values },
    secret: false,
    parse: (raw) => {
      const found = values.find((value) => value === raw)
      return found === undefined ? refuse(`must be one of ${values.join(', ')}, not ${show(raw)}`) : accept(found)
    },
  }
}

const YES = new Set<unknown>([true, 'true', 'yes', 'on', '1'])
const NO = new Set<unknown>([false, 'false', 'no', 'off', '0'])

export const flag: Kind<boolean> = {
  label: '`true`, `false`',
  schema: { type: 'boolean' },
  secret: false,
  parse: (raw) => {
    if (YES.has(raw)) return accept(true)
    return NO.has(raw) ? accept(false) : refuse(`must be true or false, not ${show(raw)}`)
  },
}

/** A number with a unit out of `units`. */
function quantity(label: string, units: Readonly<Record<string, number>>): Kind<number> {
  const names = Object.keys(units)
  const pattern = new RegExp(`^(\\d{1,12})(${names.join('|')})$`)
  return {
    label,
    schema: { type: 'string', pattern: pattern.source },
    secret: false,
    parse: (raw) => {
      const match = typeof raw === 'string' ? pattern.exec(raw) : null
      if (match === null) return refuse(`must be a number and a unit (${names.join(', ')}), not ${show(raw)}`)
      const value = Number(match[1]) * units[match[2]!]!
      return Number.isSafeInteger(value) ? accept(value) : refuse('is too large')
    },
  }
}

/** In milliseconds. */
export const duration = quantity('duration, such as `30s`', {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
})

/** In a file a list; in variables and flags separated by commas. */
export function list<T>(label: string, item: Kind<T>): Kind<readonly T[]> {
  return {
    label,
    schema: { oneOf: [{ type: 'array', items: item.schema }, { type: 'string' }] },
    secret: false,
    parse: (raw) => {
      const items = typeof raw === 'string' ? splitList(raw) : raw
      if (!Array.isArray(items)) return refuse(`must be a ${label}, not ${show(raw)}`)
      const values: T[] = []
      for (const [index, one] of items.entries()) {
        const parsed = item.parse(one)
        if (!parsed.ok) return refuse(`item ${index + 1} ${parsed.message}`)
        values.push(parsed.value)
      }
      return accept(values)
    },
  }
}

function splitList(raw: string): string[] {
  return raw
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}

const listenAddress: Kind<ListenAddress> = {
  label: 'address',
  schema: { type: ['string', 'integer'] },
  secret: false,
  parse: (raw) => {
    const address = typeof raw === 'string' || typeof raw === 'number' ? parseListenAddress(String(raw)) : undefined
    return address === undefined ? refuse(`must be host:port or a port, not ${show(raw)}`) : accept(address)
  },
}

/** One or more of `host:port`, `[v6]:port`, `port`. */
export const listenAddresses: Kind<readonly ListenAddress[]> = {
  ...list('list of host:port', listenAddress),
  schema: { oneOf: [{ type: ['string', 'integer'] }, { type: 'array', items: listenAddress.schema }] },
  parse: (raw) => {
    const parsed = list('list of host:port', listenAddress).parse(typeof raw === 'number' ? String(raw) : raw)
    return parsed.ok && parsed.value.length === 0 ? refuse('must name at least one address') : parsed
  },
}

const range = text({ what: 'an address or a range such as 10.0.0.0/8' })
const ranges = list('list of address ranges', {
  ...range,
  parse: (raw: unknown) =>
    typeof raw === 'string' && parseRange(raw) !== undefined
      ? accept(raw)
      : refuse(`must be an address or a range such as 10.0.0.0/8, not ${show(raw)}`),
})

export const addressRangeList: Kind<AddressRanges> = {
  ...ranges,
  parse: (raw) => {
    const parsed = ranges.parse(raw)
    return parsed.ok ? accept(addressRanges(parsed.value)) : parsed
  },
}

/** A raw value as it may stand in a message. */
export function show(raw: unknown): string {
  const shown = JSON.stringify(raw) ?? 'nothing'
  return shown.length > 60 ? `${shown.slice(0, 60)}...` : shown
}
