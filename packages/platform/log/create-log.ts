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
  /** Resolves when all lines until now are written. Await it before the process ends. */
  flush(): Promise<void>
}

/** Lines wait for this many bytes, or this long, before they are written: one write per line costs more than the line. */
const BUFFERED_BYTES = 8192
const FLUSH_EVERY_MS = 250
/** If nobody reads our output, lines beyond this are lost: a log that stands still must not stop the house. */
const WAITING_BYTES_MAX = 16 * 1024 * 1024

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
  return { ...wrap(logger, logger, '', stdout), forPeople: text, flush: async () => stdout?.flushed() }
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

type Output = { write(line: string): void; flush(): void; flushSync(): void; flushed(): Promise<void> }

function bufferedStdout(): Output {
  const stream = pino.destination({
    dest: 1,
    sync: false,
    minLength: BUFFERED_BYTES,
    maxLength: WAITING_BYTES_MAX,
    periodicFlush: FLUSH_EVERY_MS,
  })
  process.on('exit', () => stream.flushSync())
  // The callback comes after the write that is under way, with or without an error of syncing what is no file.
  const once = () => new Promise<void>((resolve) => stream.flush(() => resolve()))
  return Object.assign(stream, { flushed: () => once().then(once) })
}

/** Children are made of the root, never of each other, or a line would carry two names. */
function wrap(root: Logger, logger: Logger, prefix: string, output: Output | undefined): Log {
  return {
    named: (name) => {
      const full = prefix === '' ? name : `${prefix}.${name}`
      return wrap(root, root.child({ name: full }), full, output)
    },
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => {
      logger.error(fields, message)
      output?.flush()
    },
    fatal: (fields, message) => {
      // The process may die of it: this one waits until it is on paper.
      logger.fatal(fields, message)
      output?.flushSync()
    },
    debugEnabled: logger.isLevelEnabled('debug'),
  }
}
