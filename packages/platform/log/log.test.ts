import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { Secret } from '../config/secret.ts'
import { createLog } from './create-log.ts'
import { prettyLine } from './pretty.ts'

function linesOf(format: 'json' | 'text', write: (log: ReturnType<typeof createLog>) => void): string[] {
  const lines: string[] = []
  write(createLog({ level: 'debug', format, destination: { write: (line) => void lines.push(line) } }))
  return lines
}

test('a line is one JSON object with time, level, the names of its loggers, fields and message', () => {
  const [line] = linesOf('json', (log) => log.named('http').named('server').info({ port: 8008 }, 'listening'))
  const { time, ...rest } = JSON.parse(line!) as Record<string, unknown>
  assert.match(String(time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  assert.deepEqual(rest, { level: 'info', name: 'http.server', port: 8008, msg: 'listening' })
  assert.equal(line!.match(/"name"/g)?.length, 1)
})

test('a value cannot start a line of its own, in either format', () => {
  const hostile = 'x\n{"level":"info","msg":"all is well"}\r\u2028\u001b[2J\u009b2J'
  for (const format of ['json', 'text'] as const) {
    const lines = linesOf(format, (log) => log.info({ user: hostile, [hostile]: 1 }, hostile))
    assert.equal(lines.length, 1)
    assert.equal(lines[0]!.trimEnd().includes('\n'), false)
    assert.equal(lines[0]!.includes('\u001b[2J'), false)
  }
})

test('a line for people carries no control character of a terminal', () => {
  const line = prettyLine(
    JSON.stringify({ level: 'info', time: '2026-01-01T00:00:00.000Z', msg: '\u009b31m', a: '\u007f' }),
  )
  // oxlint-disable-next-line no-control-regex
  assert.doesNotMatch(line, /[\u007f-\u009f]/)
})

test('a secret is masked in every format', () => {
  for (const format of ['json', 'text'] as const) {
    const lines = linesOf(format, (log) => log.info({ config: { smtp: new Secret('hunter2') } }, 'started'))
    assert.ok(lines[0]!.includes('[secret]'))
    assert.equal(lines[0]!.includes('hunter2'), false)
  }
})

test('an error shows its stack', () => {
  const [line] = linesOf('text', (log) => log.error({ err: new Error('broken') }, 'request failed'))
  assert.match(line!, /request failed\n {4}Error: broken\n {4} {4}at /)
})

test('a reader that stops reading does not stop the process, and lines come out in order', async () => {
  const script = `
    import { createLog } from ${JSON.stringify(new URL('./create-log.ts', import.meta.url).href)}
    const log = createLog({ level: 'info', format: 'json' })
    for (let i = 0; i < 3000; i += 1) {
      log.info({ i, text: 'x'.repeat(100) }, 'line')
      if (i % 100 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    log.error({ i: 3000 }, 'line')
    process.send('alive')
    process.once('message', async () => { await log.flush(); process.exit() })
  `
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  })
  await once(child, 'message')
  let output = ''
  child.stdout!.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.send('go on')
  await once(child, 'close')
  const numbers = output
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { i: number }).i)
  assert.deepEqual(
    numbers,
    Array.from({ length: 3001 }, (_, i) => i),
  )
})
