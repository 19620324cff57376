/** What the rest of the house logs with. */

/** Members of a log line. Errors are given as `err`. */
export type LogFields = Readonly<Record<string, unknown>>

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent'

export type Log = {
  /** A logger whose lines also say `name: parent.child`. */
  named(name: string): Log
  debug(fields: LogFields, message: string): void
  info(fields: LogFields, message: string): void
  warn(fields: LogFields, message: string): void
  error(fields: LogFields, message: string): void
  fatal(fields: LogFields, message: string): void
  /** False when a debug line would be dropped, so that its fields need not be built. */
  readonly debugEnabled: boolean
}
