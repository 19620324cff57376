/** A log that says nothing, and one that remembers, for tests. */
import type { Log, LogFields, LogLevel } from './log.ts'

export type LogLine = {
  readonly level: LogLevel
  readonly name: string
  readonly fields: LogFields
  readonly message: string
}

export function createSilentLog(): Log {
  return createMemoryLog([])
}

/** Appends every line to `lines`. */
export function createMemoryLog(lines: LogLine[], name = ''): Log {
  const at = (level: LogLevel) => (fields: LogFields, message: string) => {
    lines.push({ level, name, fields, message })
  }
  return {
    named: (child) => createMemoryLog(lines, name === '' ? child : `${name}.${child}`),
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    fatal: at('fatal'),
    debugEnabled: true,
  }
}
