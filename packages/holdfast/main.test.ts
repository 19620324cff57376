/** The real program, as the shell starts it. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { aFolder } from './testing/a-holdfast.ts'

const MAIN = new URL('./main.ts', import.meta.url).pathname

type Line = {
  readonly msg: string
  readonly urls?: readonly string[]
  readonly firstRunLink?: string
  readonly level: string
}

function run(args: readonly string[]) {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let complaints = ''
  child.stderr.on('data', (chunk: Buffer) => (complaints += chunk.toString()))
  const lines: Line[] = []
  const started = new Promise<Line>((resolve) => {
    createInterface({ input: child.stdout }).on('line', (text) => {
      const line = JSON.parse(text) as Line
      lines.push(line)
      if (line.msg === 'started') resolve(line)
    })
  })
  const ended = once(child, 'exit').then(([code]) => ({ code: code as number | null, complaints }))
  return { child, started, ended, lines }
}

test('a server starts, keeps a second one off its data, and ends gently on a signal', async () => {
  await using folder = await aFolder()
  const flags = ['start', '--listen', '127.0.0.1:0', '--data', folder.path, '--server-name', 'example.org']
  const server = run(flags)
  const { urls, firstRunLink } = await server.started
  assert.equal((await fetch(`${urls![0]}/_matrix/client/versions`)).status, 200)
  assert.equal((await fetch(firstRunLink!)).status, 200)

  const second = await run(flags).ended
  assert.equal(second.code, 3)
  assert.match(second.complaints, /is in use by another Holdfast process; stop that one first\n$/)

  const port = new URL(urls![0]!).port
  await using other = await aFolder()
  const third = await run(['start', '--listen', `127.0.0.1:${port}`, '--data', other.path]).ended
  assert.equal(third.code, 4)
  assert.match(third.complaints, /cannot listen on 127\.0\.0\.1:\d+: another program listens there already\n$/)

  server.child.kill('SIGTERM')
  const { code, complaints } = await server.ended
  assert.equal(code, 0)
  assert.equal(complaints, '')
  assert.deepEqual(
    server.lines.slice(-2).map(({ msg }) => msg),
    ['stopping', 'stopped'],
  )
  assert.ok(server.lines.some(({ msg }) => msg === 'request'))

  const renamed = await run([...flags.slice(0, -1), 'other.org']).ended
  assert.equal(renamed.code, 2)
  assert.match(renamed.complaints, /belong to the server example\.org/)
})

test('a killed server starts again on its data', async () => {
  await using folder = await aFolder()
  const flags = ['--listen', '127.0.0.1:0', '--data', folder.path]
  const killed = run(flags)
  const { firstRunLink } = await killed.started
  killed.child.kill('SIGKILL')
  await killed.ended
  const server = run(flags)
  const { urls } = await server.started
  const again = new URL(firstRunLink!)
  assert.equal((await fetch(`${urls![0]}${again.pathname}${again.search}`)).status, 200)
  server.child.kill('SIGINT')
  assert.equal((await server.ended).code, 0)
})
