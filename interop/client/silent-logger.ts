/** The SDK writes a line per request; a test says what went wrong by itself. */
import type { Logger } from 'matrix-js-sdk/lib/logger.js'

const nothing = (): void => undefined

export const silentLogger: Logger = {
  trace: nothing,
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  getChild: () => silentLogger,
}

/** Parts of the SDK write to loggers of their own, which end in the console whatever the client was given. */
export function quietConsole(): void {
  for (const method of ['trace', 'debug', 'log', 'info', 'warn', 'error'] as const) console[method] = nothing
}
