/** The Log on pino. */
import { pino, type DestinationStream, type Logger } from 'pino'
import type { Log, LogLevel } from './log.ts'
import { createPrettyStream } from './pretty.ts'

export type LogOptions = {
  readonly level: LogLevel
  /** `auto`: lines for people when standard output is a terminal, JSON otherwise. */
  readonly format: 'auto' | 'json' | 'text'
  /** Where the lines go; standard output by default. */
  readonly destination?: DestinationStream
}

export type RootLog = Log & {
  /** Whether the lines are text for people. */
  readonly forPeople: boolean
  /** Writes out what is buffered. Call it before the process ends. */
  flush(): void
}

/** Lines wait for this many bytes, or this long, before they are written: one write per line costs more than the line. */
const BUFFERED_BYTES = 8192
const FLUSH_EVERY_MS = 250

export function createLog(options: LogOptions): RootLog {
  const text = options.format === 'text' || (options.format === 'auto' && process.stdout.isTTY)
  const stdout = options.destination === undefined && !text ? bufferedStdout() : undefined
  const raw = options.destination ?? process.stdout
  const destination = stdout ?? (text ? createPrettyStream(raw) : raw)
  const logger = pino(
    {
      level: options.level,
      base: null,
      timestamp: cachedIsoTime(),
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  )
  // A failure must be on paper even if the process dies on it.
  return { ...wrap(logger, logger, '', () => stdout?.flushSync()), forPeople: text, flush: () => stdout?.flushSync() }
}

/** Under load many lines share a millisecond, and making the text is a sixth of the cost of a line. */
function cachedIsoTime(): () => string {
  let lastMs = 0
  let text = ''
  return () => {
    const nowMs = Date.now()
    if (nowMs !== lastMs) {
      lastMs = nowMs
      text = `,"time":"${new Date(nowMs).toISOString()}"`
    }
    return text
  }
}

function bufferedStdout(): { write(line: string): void; flushSync(): void } {
  const stream = pino.destination({ dest: 1, sync: true, minLength: BUFFERED_BYTES })
  setInterval(() => stream.flushSync(), FLUSH_EVERY_MS).unref()
  process.on('exit', () => stream.flushSync())
  return stream
}

/** Children are made of the root, never of each other, or a line would carry two names. */
function wrap(root: Logger, logger: Logger, prefix: string, flush: () => void): Log {
  return {
    named: (name) => {
      const full = prefix === '' ? name : `${prefix}.${name}`
      return wrap(root, root.child({ name: full }), full, flush)
    },
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => {
      logger.error(fields, message)
      flush()
    },
    fatal: (fields, message) => {
      logger.fatal(fields, message)
      flush()
    },
    debugEnabled: logger.isLevelEnabled('debug'),
  }
}
