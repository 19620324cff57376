/** JSON log lines turned into lines for people. */
import { styleText } from 'node:util'
import type { DestinationStream } from 'pino'

const COLOURS: Readonly<Record<string, Parameters<typeof styleText>[0]>> = {
  debug: 'gray',
  info: 'green',
  warn: 'yellow',
  error: 'red',
  fatal: 'red',
}

type PinoLine = {
  readonly level: string
  readonly time: string
  readonly name?: string
  readonly msg?: string
  readonly err?: unknown
  readonly [field: string]: unknown
}

export function createPrettyStream(out: DestinationStream): DestinationStream {
  return { write: (line) => out.write(prettyLine(line)) }
}

/** Every text comes out of JSON.stringify, so no value can start a line of its own or move the cursor. */
export function prettyLine(line: string): string {
  const { level, time, name, msg, err, ...rest } = JSON.parse(line) as PinoLine
  const word = level
  const fields = Object.entries(rest).map(([key, value]) => styleText('gray', ` ${plain(key)}=${plain(value)}`))
  const head = `${time.slice(11, 23)} ${styleText(COLOURS[word] ?? 'white', word.padEnd(5))}`
  const where = name === undefined ? '' : ` ${styleText('cyan', name)}`
  return `${head}${where} ${unquoted(msg ?? '')}${fields.join('')}${errorLines(err)}\n`
}

function plain(value: unknown): string {
  if (typeof value !== 'string') return escapeControls(JSON.stringify(value))
  return /^[\w.:/@#!$?=&%~+-]+$/.test(value) ? value : escapeControls(JSON.stringify(value))
}

function unquoted(text: string): string {
  return escapeControls(JSON.stringify(text).slice(1, -1)).replaceAll('\\"', '"')
}

/** JSON leaves DEL and the C1 controls as they are, and a terminal obeys some of them. */
function escapeControls(json: string): string {
  // oxlint-disable-next-line no-control-regex
  return json.replace(/[\u007f-\u009f\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

function errorLines(err: unknown): string {
  if (typeof err !== 'object' || err === null) return ''
  const stack = (err as { stack?: unknown }).stack
  if (typeof stack !== 'string') return ` err=${escapeControls(JSON.stringify(err))}`
  const lines = stack.split('\n').map((line) => `    ${unquoted(line)}`)
  return `\n${lines.join('\n')}`
}
