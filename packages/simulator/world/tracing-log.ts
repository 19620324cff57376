/** What a server says of itself goes into the trace; an error without a fault of the disk is a finding. */
import type { Log, LogFields } from '@holdfast/platform/log/log'
import type { Life } from './life.ts'
import type { ServerDeps } from './server.ts'

export function tracingLog(deps: Pick<ServerDeps, 'name' | 'note' | 'complain'>, life: Life, name = ''): Log {
  const say =
    (level: string) =>
    (fields: LogFields, message: string): void => {
      if (life.isOver) return
      deps.note(deps.name, `${level} ${name}: ${message} ${wordsOf(fields)}`)
      if (level === 'error' || level === 'fatal')
        deps.complain('no-error-logged', `${deps.name} ${message} ${wordsOf(fields)}`)
    }
  return {
    named: (child) => tracingLog(deps, life, name === '' ? child : `${name}.${child}`),
    debug: () => {},
    info: say('info'),
    warn: say('warn'),
    error: say('error'),
    fatal: say('fatal'),
    debugEnabled: false,
  }
}

function wordsOf(fields: LogFields): string {
  return JSON.stringify(fields, (_, value: unknown) =>
    value instanceof Error ? (value.stack ?? value.message) : value,
  )
}
