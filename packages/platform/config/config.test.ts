import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { CONFIG_KEYS, CONFIG_NAMES, fileName, flagName, variableName } from './keys.ts'
import { defaultConfig, type LoadedConfig, loadConfig } from './load.ts'
import { Secret } from './secret.ts'

type Given = { readonly file?: string; readonly env?: Record<string, string>; readonly flags?: Record<string, string> }

async function load({ file, env = {}, flags = {} }: Given): Promise<LoadedConfig> {
  const cwd = await mkdtemp(join(tmpdir(), 'holdfast-config-'))
  try {
    if (file !== undefined) await writeFile(join(cwd, 'holdfast.yaml'), file)
    return await loadConfig({ cwd, env, flags })
  } finally {
    await rm(cwd, { recursive: true })
  }
}

async function configOf(given: Given) {
  const loaded = await load(given)
  assert.ok(loaded.ok, inspect(loaded))
  return loaded.config
}

async function problemsOf(given: Given): Promise<string[]> {
  const loaded = await load(given)
  assert.ok(!loaded.ok)
  return loaded.problems.map(({ where, message }) => `${where}: ${message}`)
}

test('nothing needs to be set', async () => {
  assert.deepEqual(await configOf({}), defaultConfig())
  assert.equal(defaultConfig().serverName, 'localhost')
  assert.ok(Object.isFrozen(await configOf({})))
})

test('an empty file, or one of comments, sets nothing', async () => {
  assert.deepEqual(await configOf({ file: '' }), defaultConfig())
  assert.deepEqual(await configOf({ file: '# listen: 80\nsmtp:\n' }), defaultConfig())
})

test('a flag beats a variable beats the file', async () => {
  const file = 'server_name: file.org\nregistration: open\ndata: /file\n'
  const env = { HOLDFAST_SERVER_NAME: 'env.org', HOLDFAST_REGISTRATION: 'closed' }
  const config = await configOf({ file, env, flags: { server_name: 'flag.org' } })
  assert.deepEqual([config.serverName, config.registration, config.data], ['flag.org', 'closed', '/file'])
})

test('an unknown key stops the start with its line and the nearest key', async () => {
  const file = 'server_name: a.org\n\n# who may join\nregstration: open\nzzzzzzzz: 1\n'
  assert.deepEqual(await problemsOf({ file, env: { HOLDFAST_LISTN: '1' }, flags: { serve_name: 'x' } }), [
    'holdfast.yaml:4: unknown key "regstration"; did you mean "registration"?',
    'holdfast.yaml:5: unknown key "zzzzzzzz"',
    'HOLDFAST_LISTN: unknown key "HOLDFAST_LISTN"; did you mean "HOLDFAST_LISTEN"?',
    '--serve-name: unknown key "serve_name"; did you mean "server_name"?',
  ])
})

test('variables that Kubernetes sets for a service called holdfast are not settings', async () => {
  const env = { HOLDFAST_PORT: 'tcp://10.0.0.1:80', HOLDFAST_SERVICE_HOST: 'x', HOLDFAST_PORT_8008_TCP_ADDR: 'x' }
  assert.deepEqual(await configOf({ env }), defaultConfig())
})

test('the checkout that a test suite starts is not a setting', async () => {
  assert.deepEqual(await configOf({ env: { HOLDFAST_CHECKOUT: '/src/holdfast' } }), defaultConfig())
})

test('a value of the wrong type stops the start with its line', async () => {
  const file = [
    'server_name: 12',
    'registration: maybe',
    'log_requests: perhaps',
    'stop_timeout: 20',
    'listen: nowhere',
    'trusted_proxies: [10.0.0.0/33]',
    'database: mysql://x',
    'public_url: example.org',
    'data: [a]',
    'presence: [1]',
  ].join('\n')
  const problems = await problemsOf({ file })
  assert.equal(problems.length, 10)
  const expected = [
    'holdfast.yaml:1: server_name must be text; write it in quotes: "12"',
    'holdfast.yaml:2: registration must be one of open, token, closed, not "maybe"',
    'holdfast.yaml:4: stop_timeout must be a number and a unit (ms, s, m, h, d), not 20',
    'holdfast.yaml:6: trusted_proxies item 1 must be an address or a range such as 10.0.0.0/8, not "10.0.0.0/33"',
  ]
  for (const line of expected) assert.ok(problems.includes(line), `${line}\n${problems.join('\n')}`)
})

test('broken YAML, a repeated key and a file that is no map are named with their line', async () => {
  assert.match((await problemsOf({ file: 'a: [1\nb: 2' }))[0]!, /^holdfast\.yaml:\d: /)
  assert.match((await problemsOf({ file: 'data: a\ndata: b\n' }))[0]!, /^holdfast\.yaml:2: .*unique/)
  assert.deepEqual(await problemsOf({ file: '- a\n' }), [
    'holdfast.yaml:1: must consist of lines of the form "key: value"',
  ])
})

test('a file that was named must exist', async () => {
  assert.deepEqual(await problemsOf({ flags: { config: 'none.yaml' } }), ['none.yaml: cannot be read (ENOENT)'])
  assert.deepEqual(await problemsOf({ env: { HOLDFAST_CONFIG: 'none.yaml' } }), ['none.yaml: cannot be read (ENOENT)'])
})

test('settings that contradict each other are explained', async () => {
  assert.deepEqual(await problemsOf({ file: 'tls_listen: 8448\ntls_cert: a.pem\n' }), [
    'holdfast.yaml:1: tls_listen needs tls_key, which is not set',
    'holdfast.yaml:2: tls_cert needs tls_key, which is not set',
  ])
  assert.deepEqual(await problemsOf({ flags: { listen: '1.2.3.4:80', metrics_listen: '1.2.3.4:80' } }), [
    '--metrics-listen: is the same address and port as listen',
  ])
})

test('lists come as YAML lists or separated by commas', async () => {
  const yaml = await configOf({ file: 'appservices:\n  - a.yaml\n  - b.yaml\noutgoing_allow: [10.0.0.0/8]\n' })
  assert.deepEqual(yaml.appservices, ['a.yaml', 'b.yaml'])
  assert.ok(yaml.outgoingAllow.contains('10.1.2.3'))
  const env = await configOf({ env: { HOLDFAST_APPSERVICES: 'a.yaml, b.yaml', HOLDFAST_OUTGOING_ALLOW: '::1' } })
  assert.deepEqual(env.appservices, ['a.yaml', 'b.yaml'])
  assert.ok(env.outgoingAllow.contains('::1'))
})

test('addresses to listen on have every usual form', async () => {
  const config = await configOf({ flags: { listen: '0.0.0.0:80,[::1]:81,localhost:82,83,*:84' } })
  assert.deepEqual(
    config.listen.map(({ host, port }) => `${host} ${port}`),
    ['0.0.0.0 80', '::1 81', 'localhost 82', ':: 83', ':: 84'],
  )
  assert.deepEqual((await configOf({ file: 'listen: 8008' })).listen, [{ host: '::', port: 8008 }])
  for (const wrong of ['a:b', '1.2.3.4:70000', '[zz]:1', 'http://x:1', '']) {
    assert.equal((await load({ file: `listen: "${wrong}"` })).ok, false, wrong)
  }
})

test('rate limits can be switched off as a whole and set by class', async () => {
  const off = await configOf({ env: { HOLDFAST_RATE_LIMITS: 'off' } })
  assert.equal(off.rateLimits.message, undefined)
  const some = await configOf({ file: 'rate_limits:\n  message: 0.5/3\n  join: off\n' })
  assert.deepEqual(some.rateLimits.message, { perSecond: 0.5, burst: 3 })
  assert.equal(some.rateLimits.join, undefined)
  assert.deepEqual(some.rateLimits.registration, defaultConfig().rateLimits.registration)
  assert.deepEqual((await configOf({ flags: { rate_limits: 'message=0.5/3,join=off' } })).rateLimits, some.rateLimits)
})

test('a wrong rate limit is named with its own line', async () => {
  assert.deepEqual(await problemsOf({ file: 'rate_limits:\n  message: 5/60\n  mesage: 1/1\n' }), [
    'holdfast.yaml:3: rate_limits has no class "mesage"; did you mean "message"?',
  ])
  assert.deepEqual(await problemsOf({ file: 'rate_limits:\n  message: fast\n' }), [
    'holdfast.yaml:2: rate_limits message must be off or per second/burst, such as 5/60, not "fast"',
  ])
})

test('no way of printing a configuration shows a secret', async () => {
  const config = await configOf({
    env: { HOLDFAST_REGISTRATION_SHARED_SECRET: 'hunter2', HOLDFAST_DATABASE: 'postgres://u:hunter2@h/d' },
    flags: { smtp: 'smtp://u:hunter2@h' },
  })
  const prints = [inspect(config, { depth: 9, showHidden: true }), JSON.stringify(config), `${config.smtp?.toString()}`]
  for (const print of prints) assert.equal(print.includes('hunter2'), false, print)
  assert.equal(config.registrationSharedSecret?.reveal(), 'hunter2')
})

test('no error message shows a secret', async () => {
  const problems = await problemsOf({
    file: 'smtp: hunter2\ndatabase: mysql://u:hunter2@h\nregistration_shared_secret: [hunter2]\n',
  })
  assert.equal(problems.length, 3)
  assert.equal(problems.join().includes('hunter2'), false)
})

test('a secret can be given as a file', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-secret-'))
  await writeFile(join(folder, 'secret'), 'hunter2\n')
  const config = await configOf({ env: { HOLDFAST_REGISTRATION_SHARED_SECRET_FILE: join(folder, 'secret') } })
  assert.equal(config.registrationSharedSecret?.reveal(), 'hunter2')
  await rm(folder, { recursive: true })
  assert.deepEqual(await problemsOf({ file: `smtp_file: ${folder}/none\n` }), [
    'holdfast.yaml:1: smtp_file names a file that cannot be read (ENOENT)',
  ])
})

test('secrets are compared as a whole', () => {
  const secret = new Secret('hunter2')
  assert.equal(secret.equals('hunter2'), true)
  for (const wrong of ['', 'hunter', 'hunter22', 'Hunter2']) assert.equal(secret.equals(wrong), false)
})

test('names have one form each in files, variables and flags', () => {
  assert.equal(fileName('tlsListen'), 'tls_listen')
  assert.equal(variableName('tlsListen'), 'HOLDFAST_TLS_LISTEN')
  assert.equal(flagName('tlsListen'), '--tls-listen')
})

test('every default is what its own words mean', async () => {
  for (const name of CONFIG_NAMES) {
    const { defaultText } = CONFIG_KEYS[name]
    if (defaultText === '' || defaultText === '(none)') continue
    const config = await configOf({ file: `${fileName(name)}: ${defaultText}\n` })
    assert.equal(inspect(config[name]), inspect(defaultConfig()[name]), name)
  }
})
