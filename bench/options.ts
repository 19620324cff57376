/** The command line of the benchmark. */

import { parseArgs } from 'node:util'
import type { Registration } from './matrix/accounts.ts'
import { FULL, QUICK, type Scale } from './scale.ts'

export const USAGE = `npm run bench -- --url URL (--secret SECRET | --open-registration) [options]

Measures a Matrix homeserver through its public APIs.

  --url URL              base URL of the server, http only
  --secret SECRET        registers accounts by shared secret (/_synapse/admin/v1/register)
  --open-registration    registers accounts by open registration (m.login.dummy) instead
  --pid PID[,PID...]     processes of the server (with their children), for CPU and memory
  --database-path PATH   SQLite file or data folder, for bytes per event
  --pg URL               PostgreSQL database, for bytes per event
  --only NAME[,NAME...]  only these workloads (see --list)
  --quick                a small and short run
  --members N            size that the room of the joins workload grows to
  --label TEXT           name of the server in the output
  --durability TEXT      what an acknowledged event survives, in words, for the output
  --note TEXT            what else a reader of the output must know
  --json FILE            writes the result as JSON
  --profile FOLDER       writes a V8 CPU profile of each measured span (server on Node; first PID)
  --list                 tells the workloads`

export type Options = {
  readonly url: URL
  readonly registration: Registration
  readonly pids: readonly number[]
  readonly databasePath?: string | undefined
  readonly pgUrl?: string | undefined
  readonly only?: readonly string[] | undefined
  readonly scale: Scale
  readonly scaleName: 'full' | 'quick'
  readonly label: string
  readonly durability?: string | undefined
  readonly note?: string | undefined
  readonly jsonFile?: string | undefined
  readonly profileFolder?: string | undefined
}

export class UsageError extends Error {}

export function parseOptions(args: readonly string[]): Options | 'list' | 'help' {
  const values = read(args)
  if (values.help === true) return 'help'
  if (values.list === true) return 'list'
  const url = parseUrl(values.url)
  return {
    url,
    registration: registrationOf(values),
    pids: commaList(values.pid).map(parsePositive),
    databasePath: values['database-path'],
    pgUrl: values.pg,
    only: values.only === undefined ? undefined : commaList(values.only),
    scale: scaleOf(values),
    scaleName: values.quick === true ? 'quick' : 'full',
    label: values.label ?? url.host,
    durability: values.durability,
    note: values.note,
    jsonFile: values.json,
    profileFolder: values.profile,
  }
}

function read(args: readonly string[]) {
  const text = { type: 'string' } as const
  const flag = { type: 'boolean' } as const
  const options = {
    url: text,
    secret: text,
    'open-registration': flag,
    pid: text,
    'database-path': text,
    pg: text,
    only: text,
    quick: flag,
    members: text,
    label: text,
    durability: text,
    note: text,
    json: text,
    profile: text,
    list: flag,
    help: flag,
  }
  try {
    return parseArgs({ args: [...args], options }).values
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

type Values = ReturnType<typeof read>

function parseUrl(text: string | undefined): URL {
  if (text === undefined) throw new UsageError('--url is missing')
  const url = URL.parse(text)
  if (url === null || url.protocol !== 'http:') throw new UsageError(`--url must be an http:// URL, not ${text}`)
  return url
}

function registrationOf(values: Values): Registration {
  if (values.secret !== undefined && values['open-registration'] !== true) {
    return { kind: 'shared-secret', secret: values.secret }
  }
  if (values.secret === undefined && values['open-registration'] === true) return { kind: 'open' }
  throw new UsageError('one of --secret and --open-registration is needed')
}

function scaleOf(values: Values): Scale {
  const scale = values.quick === true ? QUICK : FULL
  if (values.members === undefined) return scale
  return { ...scale, joins: { ...scale.joins, members: parsePositive(values.members) } }
}

function commaList(text: string | undefined): string[] {
  return text === undefined ? [] : text.split(',').map((part) => part.trim())
}

function parsePositive(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new UsageError(`${text} is not a positive number`)
  return Number(text)
}
