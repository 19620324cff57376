import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { aFolder, startIn } from '../testing/a-holdfast.ts'
import { aTerminal } from '../testing/a-terminal.ts'
import { VERSION } from '../version.ts'
import { banner } from './banner.ts'
import { verdictOn } from './problem.ts'
import { runCommand } from './run.ts'

const FLAGS = ['--server-name', 'example.org']
const PASSWORD = 'correct horse'

test('--version prints the version, --help every command', async () => {
  const terminal = aTerminal()
  assert.equal(await runCommand(terminal, ['--version']), 0)
  assert.deepEqual(terminal.printed, [VERSION])
  assert.equal(await runCommand(terminal, ['--help']), 0)
  for (const word of ['start', 'user', 'token', 'config']) assert.ok(terminal.printed[1]!.includes(word))
})

test('a command or flag that does not exist is refused with exit code 2 and a guess', async () => {
  for (const args of [['strat'], ['start', '--listn', 'x'], ['user', 'create'], ['config', 'chek']]) {
    const terminal = aTerminal()
    assert.equal(await runCommand(terminal, args), 2, args.join(' '))
    assert.ok(terminal.complaints.length > 0)
  }
})

test('a word that is no command is called that, and not an argument of a command that nobody named', async () => {
  for (const args of [['frobnicate'], ['start', 'frobnicate']]) {
    const terminal = aTerminal()
    assert.equal(await runCommand(terminal, args), 2)
    assert.match(terminal.complaints.join('\n'), /"frobnicate" is neither a command nor a flag; "holdfast --help"/)
  }
})

test('what went wrong first is told, also where closing failed after it', () => {
  const full = Object.assign(new Error('the disk is full'), { code: 'ENOSPC' })
  const told = verdictOn(new SuppressedError(new Error('closing failed'), full))
  assert.deepEqual(told, { exitCode: 5, message: 'the disk is full' })
})

test('config check says what is set, or names every mistake with its place', async () => {
  await using folder = await aFolder()
  const good = aTerminal({ cwd: folder.path, env: { HOLDFAST_LISTEN: '8008' } })
  assert.equal(await runCommand(good, ['config', 'check', ...FLAGS]), 0)
  assert.deepEqual(good.printed, ['The settings are good: no file, 2 set (listen, server_name).'])
  const none = aTerminal({ cwd: folder.path })
  assert.equal(await runCommand(none, ['config', 'check']), 0)
  assert.deepEqual(none.printed, ['The settings are good: no file, every setting has its default.'])
  await writeFile(join(folder.path, 'holdfast.yaml'), 'registration: maybe\nlistn: 1\n')
  const bad = aTerminal({ cwd: folder.path })
  assert.equal(await runCommand(bad, ['config', 'check']), 2)
  assert.match(bad.complaints[0]!, /holdfast\.yaml:1: registration must be one of/)
  assert.match(bad.complaints[0]!, /holdfast\.yaml:2: unknown key "listn"; did you mean "listen"\?/)
})

test('a start with broken settings opens nothing and exits with 2', async () => {
  await using folder = await aFolder()
  const data = join(folder.path, 'data')
  const terminal = aTerminal({ cwd: folder.path })
  assert.equal(await runCommand(terminal, ['start', '--data', data, '--tls-cert', 'a.pem']), 2)
  assert.match(terminal.complaints[0]!, /--tls-cert: tls_cert needs tls_key/)
  await assert.rejects(
    import('node:fs/promises').then(({ stat }) => stat(data)),
    { code: 'ENOENT' },
  )
})

test('user create makes an account on data that no server uses', async () => {
  await using folder = await aFolder()
  const create = (terminal: ReturnType<typeof aTerminal>, ...more: string[]) =>
    runCommand(terminal, ['user', 'create', 'ann', '--data', folder.path, ...FLAGS, ...more])
  const first = aTerminal({ typed: [PASSWORD] })
  assert.equal(await create(first, '--admin'), 0)
  assert.deepEqual(first.printed, ['@ann:example.org can log in now.'])
  const again = aTerminal({ typed: [PASSWORD] })
  assert.equal(await create(again), 6)
  assert.deepEqual(again.complaints, ['holdfast: This user name is taken.'])
  await using running = await startIn(folder.path)
  assert.equal(running.firstRunLink, undefined)
})

test('user create and token create ask the server that runs on the data', async () => {
  await using folder = await aFolder()
  await using running = await startIn(folder.path)
  assert.ok(running.firstRunLink)
  const user = aTerminal({ typed: [PASSWORD] })
  assert.equal(await runCommand(user, ['user', 'create', 'ann', '--data', folder.path, ...FLAGS]), 0)
  assert.deepEqual(user.printed, ['@ann:example.org can log in now.'])
  const bad = aTerminal({ typed: [PASSWORD] })
  assert.equal(await runCommand(bad, ['user', 'create', 'An N', '--data', folder.path, ...FLAGS]), 6)
  assert.match(bad.complaints[0]!, /A user name consists of/)
  const token = aTerminal()
  const flags = ['--uses', '2', '--expires', '7d', '--data', folder.path, ...FLAGS]
  assert.equal(await runCommand(token, ['token', 'create', ...flags]), 0)
  assert.match(token.printed[0]!, /^[A-Za-z0-9]{24}$/)
})

test('keys rotate gives the server a new key, whether or not it runs; the old ones stay in its list', async () => {
  await using folder = await aFolder()
  const rotate = async () => {
    const terminal = aTerminal()
    assert.equal(await runCommand(terminal, ['keys', 'rotate', '--data', folder.path, ...FLAGS]), 0)
    return /signs with (ed25519:a_[A-Za-z0-9]{6}) from now on/.exec(terminal.printed[0]!)![1]!
  }
  const first = await rotate()
  await using running = await startIn(folder.path)
  const published = async () =>
    (await (await fetch(`${running.urls[0]!}/_matrix/key/v2/server`)).json()) as Record<string, object>
  assert.deepEqual(Object.keys((await published())['verify_keys']!), [first])
  const second = await rotate()
  const { verify_keys: current, old_verify_keys: old } = await published()
  assert.deepEqual(Object.keys(current!), [second])
  assert.equal(Object.keys(old!).length, 2)
  assert.ok(Object.keys(old!).includes(first))
})

test('explain tells of events, rooms and servers, whether or not the server runs, for people and for programs', async () => {
  await using folder = await aFolder()
  const ask = async (...args: string[]) => {
    const terminal = aTerminal()
    const exitCode = await runCommand(terminal, ['explain', ...args, '--data', folder.path, ...FLAGS])
    return { exitCode, printed: terminal.printed.join('\n'), complaint: terminal.complaints.join('\n') }
  }
  const check = async () => {
    assert.match((await ask('event', '$nobody')).printed, /\$nobody is not known here/)
    assert.match((await ask('room', '!nobody:example.org')).printed, /is not known here/)
    assert.match((await ask('server', 'far.example')).printed, /^Server far\.example\n {2}keys {8}none known/)
    const { queue, rooms } = JSON.parse((await ask('server', 'far.example', '--json')).printed) as Record<
      string,
      object
    >
    assert.deepEqual(rooms, [])
    assert.equal((queue as Record<string, unknown>)['events'], 0)
    const refused = await ask('room', '#alias:example.org')
    assert.deepEqual([refused.exitCode, refused.printed], [6, ''])
    assert.match(refused.complaint, /is no room id/)
  }
  await check()
  await using _running = await startIn(folder.path)
  await check()
})

test('a control file that a killed server left behind is no server', async () => {
  await using folder = await aFolder()
  await writeFile(join(folder.path, 'control.json'), '{"url":"http://127.0.0.1:9","secret":"x"}')
  const terminal = aTerminal({ typed: [PASSWORD] })
  assert.equal(await runCommand(terminal, ['user', 'create', 'ann', '--data', folder.path, ...FLAGS]), 0)
})

test('passwords that differ, are empty or too short make no account', async () => {
  await using folder = await aFolder()
  const attempts: readonly (readonly [readonly string[], boolean, RegExp])[] = [
    [[PASSWORD, 'other'], true, /the two passwords differ/],
    [[], false, /no password/],
    [['short'], false, /at least 8 characters/],
  ]
  for (const [typed, interactive, message] of attempts) {
    const terminal = aTerminal({ typed, interactive })
    assert.equal(await runCommand(terminal, ['user', 'create', 'ann', '--data', folder.path, ...FLAGS]), 6)
    assert.match(terminal.complaints[0]!, message)
  }
})

test('figures of a token that make no sense are refused', async () => {
  for (const flags of [
    ['--uses', '0'],
    ['--uses', 'x'],
    ['--expires', '7'],
    ['--uses', '1.5'],
  ]) {
    const terminal = aTerminal()
    assert.equal(await runCommand(terminal, ['token', 'create', ...flags]), 6)
  }
})

test('the banner has addresses, folder, settings and the link', () => {
  const text = banner({
    urls: ['http://localhost:8008', 'https://localhost:8448'],
    firstRunLink: 'http://localhost:8008/_holdfast/first-run?token=x',
    serverName: 'example.org',
    data: '/srv/data',
    configFile: 'holdfast.yaml',
  })
  assert.equal(
    text,
    `
  Holdfast ${VERSION} serves example.org at http://localhost:8008 and https://localhost:8448
  Data: /srv/data   Settings: holdfast.yaml
  Create the first administrator: http://localhost:8008/_holdfast/first-run?token=x
`,
  )
})
