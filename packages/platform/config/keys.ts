/** Every setting of Holdfast. The typed object, the docs page, the JSON schema and the flags all come from this table. */
import { addressRanges } from '../http/address-ranges.ts'
import {
  addressRangeList,
  choice,
  duration,
  flag,
  type Kind,
  list,
  listenAddresses,
  path,
  secret,
  text,
  url,
} from './kinds.ts'
import { DEFAULT_RATE_LIMITS, rateLimits } from './rate-limits.ts'

export type ConfigKey<T> = {
  readonly section: Section
  readonly kind: Kind<T>
  /** Undefined: the setting is absent unless given. */
  readonly default: T | undefined
  /** The default in the words of a config file. */
  readonly defaultText: string
  readonly doc: string
}

export type Section = 'Basics' | 'Accounts' | 'Network' | 'Encryption in transit' | 'Mail' | 'Limits' | 'Operation'

/** The kind says which type it is: the default alone would make every word a string. */
function required<T>(
  key: Omit<ConfigKey<T>, 'default'> & { readonly default: NoInfer<T> },
): ConfigKey<T> & { readonly default: T } {
  return key
}

function optional<T>(
  key: Omit<ConfigKey<T>, 'default' | 'defaultText'>,
): ConfigKey<T> & { readonly default: undefined } {
  return { ...key, default: undefined, defaultText: '' }
}

/** appendices/#server-name; at most 230 characters are recommended there. */
const SERVER_NAME = /^(?=.{1,230}$)(?:\[[0-9A-Fa-f:.]{2,45}\]|[0-9A-Za-z.-]{1,255})(?::\d{1,5})?$/

/** appendices/#room-ids, with and without a server name. */
const ROOM_ID = /^![^\s,]{1,254}$/

export const CONFIG_KEYS = {
  serverName: required({
    section: 'Basics',
    kind: text({ pattern: SERVER_NAME, what: 'a server name such as example.org' }),
    default: 'localhost',
    defaultText: 'localhost',
    doc: 'The name at the end of every user ID and alias. It can never be changed once there are users.',
  }),
  listen: required({
    section: 'Basics',
    kind: listenAddresses,
    default: [{ host: 'localhost', port: 8008 }],
    defaultText: 'localhost:8008',
    doc: 'Where to serve plain HTTP: clients, and everything else behind a reverse proxy.',
  }),
  data: required({
    section: 'Basics',
    kind: path,
    default: './data',
    defaultText: './data',
    doc: 'The folder of the database, the uploads and the keys. Back it up as a whole.',
  }),
  database: optional({
    section: 'Basics',
    kind: secret({
      pattern: /^postgres(?:ql)?:\/\/\S+$/,
      what: 'a PostgreSQL URL (postgres://user:password@host/name)',
    }),
    doc: 'A PostgreSQL URL. Without it, the database is SQLite in the data folder.',
  }),
  publicUrl: optional({
    section: 'Basics',
    kind: url(['https', 'http']),
    doc: 'Where clients reach this server, for well-known files, links in mails and the start-up banner. By default the address it listens on.',
  }),

  registration: required({
    section: 'Accounts',
    kind: choice(['open', 'token', 'closed']),
    default: 'token',
    defaultText: 'token',
    doc: 'Who may register: anybody, who has a registration token, or nobody.',
  }),
  registrationSharedSecret: optional({
    section: 'Accounts',
    kind: secret(),
    doc: 'Lets tools that know it register users at `/_synapse/admin/v1/register`. That endpoint is off without it.',
  }),
  guests: optional({
    section: 'Accounts',
    kind: flag,
    doc: 'Whether guests may register. By default where anybody may, that is with `registration: open`.',
  }),
  termsUrl: optional({
    section: 'Accounts',
    kind: url(['https', 'http']),
    doc: 'The terms that everybody must agree to when registering. Without it there are none.',
  }),
  termsName: required({
    section: 'Accounts',
    kind: text(),
    default: 'Terms of Service',
    defaultText: 'Terms of Service',
    doc: 'What the terms are called.',
  }),
  termsVersion: required({
    section: 'Accounts',
    kind: text(),
    default: '1.0',
    defaultText: '"1.0"',
    doc: 'The version of the terms.',
  }),
  presence: required({
    section: 'Accounts',
    kind: flag,
    default: true,
    defaultText: 'true',
    doc: 'Whether users see who is online.',
  }),
  defaultRoomVersion: required({
    section: 'Accounts',
    kind: choice(['1', '2', '3', '4', '5', '6', '7', '8', '9', '10', '11', '12']),
    default: '12',
    defaultText: '"12"',
    doc: 'The version of new rooms whose creator names none. Older servers cannot join rooms of version 12.',
  }),

  trustedProxies: required({
    section: 'Network',
    kind: addressRangeList,
    default: addressRanges([]),
    defaultText: '(none)',
    doc: 'Reverse proxies whose `X-Forwarded-For` is believed. Name them, or all users share the rate limits of the proxy.',
  }),
  outgoingAllow: required({
    section: 'Network',
    kind: addressRangeList,
    default: addressRanges([]),
    defaultText: '(none)',
    doc: 'Private address ranges that requests to other servers may reach. By default they reach public addresses only.',
  }),
  deviceNamesToServers: required({
    section: 'Network',
    kind: flag,
    default: false,
    defaultText: 'false',
    doc: 'Whether other servers, and so whoever shares a room with them, learn the names of devices, such as `Ann on her phone`. Without it they see device IDs. Users of this server see the names in any case.',
  }),
  federationAddress: optional({
    section: 'Network',
    kind: text({ pattern: SERVER_NAME, what: 'a server name such as matrix.example.org:443' }),
    doc: 'Where other servers reach this one, told them at `/.well-known/matrix/server` of the server name. By default the host of an `https` `public_url`. Without both, they look at port 8448 of the server name.',
  }),
  appservices: required({
    section: 'Network',
    kind: list('list of paths', path),
    default: [],
    defaultText: '(none)',
    doc: 'Registration files of application services.',
  }),
  compressResponses: required({
    section: 'Network',
    kind: flag,
    default: false,
    defaultText: 'false',
    doc: 'Whether large responses are compressed for clients that accept it. A reverse proxy often does so already.',
  }),

  tlsListen: optional({
    section: 'Encryption in transit',
    kind: listenAddresses,
    doc: 'Where to serve HTTPS, such as `0.0.0.0:8448` for other servers. Needs `tls_cert` and `tls_key`.',
  }),
  tlsCert: optional({
    section: 'Encryption in transit',
    kind: path,
    doc: 'The certificate chain, a PEM file. Read again when it changes and on SIGHUP.',
  }),
  tlsKey: optional({
    section: 'Encryption in transit',
    kind: path,
    doc: 'The private key of the certificate, a PEM file.',
  }),
  trustedCa: optional({
    section: 'Encryption in transit',
    kind: path,
    doc: 'A PEM file of certificate authorities that are trusted in addition to those of the system.',
  }),

  smtp: optional({
    section: 'Mail',
    kind: secret({ pattern: /^smtps?:\/\/\S+$/, what: 'an SMTP URL (smtp://user:password@host:587)' }),
    doc: 'The mail server. Without it, mails are written to the log.',
  }),
  mailFrom: optional({
    section: 'Mail',
    kind: text({ pattern: /^[^\r\n]*@[^\r\n]+$/, what: 'a mail address' }),
    doc: 'The sender of mails, such as `Holdfast <noreply@example.org>`. By default `noreply@` the server name.',
  }),

  policyServer: required({
    section: 'Limits',
    kind: flag,
    default: false,
    defaultText: 'false',
    doc: 'Whether rooms may use this server as their policy server: name it in `m.room.policy` with the key that `/.well-known/matrix/policy_server` tells, and have a user of it in the room.',
  }),
  policyLists: required({
    section: 'Limits',
    kind: list('list of room IDs', text({ pattern: ROOM_ID, what: 'a room ID such as !abc:example.org' })),
    default: [],
    defaultText: '(none)',
    doc: 'Rooms with policy lists (`m.policy.rule.user`, `m.policy.rule.server`) that a user of this server is in. As a policy server it signs no event of those whom they ban.',
  }),
  rateLimits: required({
    section: 'Limits',
    kind: rateLimits,
    default: DEFAULT_RATE_LIMITS,
    defaultText: 'on',
    doc: 'Rate limits by class (table below). `off` is meant for tests.',
  }),

  logLevel: required({
    section: 'Operation',
    kind: choice(['debug', 'info', 'warn', 'error', 'silent']),
    default: 'info',
    defaultText: 'info',
    doc: 'The least important lines that are logged.',
  }),
  logFormat: required({
    section: 'Operation',
    kind: choice(['auto', 'json', 'text']),
    default: 'auto',
    defaultText: 'auto',
    doc: 'JSON lines or text for people; `auto` writes text when the output is a terminal.',
  }),
  logRequests: required({
    section: 'Operation',
    kind: flag,
    default: true,
    defaultText: 'true',
    doc: 'Whether each request has its log line.',
  }),
  metricsListen: optional({
    section: 'Operation',
    kind: listenAddresses,
    doc: 'A port of their own for `/metrics` and `/health`. They are then not served elsewhere.',
  }),
  metricsAllow: required({
    section: 'Operation',
    kind: addressRangeList,
    default: addressRanges(['127.0.0.0/8', '::1']),
    defaultText: '127.0.0.0/8, ::1',
    doc: 'Who may read `/metrics` on the common port.',
  }),
  stopTimeout: required({
    section: 'Operation',
    kind: duration,
    default: 20_000,
    defaultText: '20s',
    doc: 'How long a stop waits for running requests.',
  }),
} as const satisfies Record<string, ConfigKey<never> | ConfigKey<unknown>>

type ValueOf<K> = K extends { readonly kind: Kind<infer T>; readonly default: infer D }
  ? D extends undefined
    ? T | undefined
    : T
  : never

export type Config = { readonly [K in keyof typeof CONFIG_KEYS]: ValueOf<(typeof CONFIG_KEYS)[K]> }
export type ConfigName = keyof Config

export const CONFIG_NAMES = Object.keys(CONFIG_KEYS) as ConfigName[]

/** The name in a file: `tls_listen`. */
export function fileName(name: ConfigName): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

/** `HOLDFAST_TLS_LISTEN` */
export function variableName(name: ConfigName): string {
  return `HOLDFAST_${fileName(name).toUpperCase()}`
}

/** `--tls-listen` */
export function flagName(name: ConfigName): string {
  return `--${fileName(name).replaceAll('_', '-')}`
}
