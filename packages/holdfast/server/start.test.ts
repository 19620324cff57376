import assert from 'node:assert/strict'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { Secret } from '@holdfast/platform/config/secret'
import { addressRanges } from '@holdfast/platform/http/address-ranges'
import { aFolder, startIn } from '../testing/a-holdfast.ts'

const login = (url: string, user: string, password: string) =>
  fetch(`${url}/_matrix/client/v3/login`, {
    method: 'POST',
    body: JSON.stringify({ type: 'm.login.password', identifier: { type: 'm.id.user', user }, password }),
  })

test('the first link makes an administrator who can log in, also after a restart', async () => {
  await using folder = await aFolder()
  let link = ''
  {
    await using first = await startIn(folder.path)
    link = first.firstRunLink!
    assert.ok(link.startsWith(`${first.urls[0]}/_holdfast/first-run?token=`))
  }
  await using second = await startIn(folder.path)
  const url = second.urls[0]!
  const token = new URL(link).searchParams.get('token')!
  const body = new URLSearchParams({ token, username: 'Ann', password: 'correct horse', again: 'correct horse' })
  const done = await fetch(`${url}/_holdfast/first-run`, { method: 'POST', body })
  assert.equal(done.status, 200)
  assert.equal(done.headers.get('access-control-allow-origin'), null)
  assert.equal((await login(url, 'ann', 'correct horse')).status, 200)
  await second.stop(1000)
  await using third = await startIn(folder.path)
  assert.equal(third.firstRunLink, undefined)
  assert.equal((await login(third.urls[0]!, 'ann', 'correct horse')).status, 200)
})

test('a registration token that the operator made lets as many register as it says', async () => {
  await using folder = await aFolder()
  await using running = await startIn(folder.path)
  const url = running.urls[0]!
  const { secret } = JSON.parse(await readFile(join(folder.path, 'control.json'), 'utf8')) as {
    secret: string
  }
  const made = await fetch(`${url}/_holdfast/control/registration-tokens`, {
    method: 'POST',
    headers: { authorization: `Bearer ${secret}` },
    body: JSON.stringify({ uses: 1 }),
  })
  const { token } = (await made.json()) as { token: string }
  const register = async (username: string) => {
    const ask = (auth: object) =>
      fetch(`${url}/_matrix/client/v3/register`, {
        method: 'POST',
        body: JSON.stringify({ username, password: 'correct horse', auth }),
      })
    const { session } = (await (await ask({ type: 'm.login.registration_token' })).json()) as { session: string }
    return (await ask({ type: 'm.login.registration_token', token, session })).status
  }
  assert.equal(await register('bob'), 200)
  assert.equal(await register('eve'), 401)
})

test('control is for who can read the file of the owner', async () => {
  await using folder = await aFolder()
  await using running = await startIn(folder.path)
  assert.equal((await stat(join(folder.path, 'control.json'))).mode & 0o777, 0o600)
  for (const authorization of ['', 'Bearer ', 'Bearer x', 'Basic x']) {
    const response = await fetch(`${running.urls[0]}/_holdfast/control/users`, {
      method: 'POST',
      headers: { authorization },
      body: '{"username":"eve","password":"correct horse","isAdmin":true}',
    })
    assert.equal(response.status, 401)
  }
  await running.stop(1000)
  assert.equal((await readdir(folder.path)).includes('control.json'), false)
})

test('health tells that requests are served, metrics are for the addresses that may read them', async () => {
  await using folder = await aFolder()
  await using running = await startIn(folder.path)
  const url = running.urls[0]!
  assert.deepEqual(await (await fetch(`${url}/health`)).json(), { status: 'ok' })
  await fetch(`${url}/_matrix/client/versions`)
  const metrics = await (await fetch(`${url}/metrics`)).text()
  for (const name of ['servers', 'pausing', 'behind', 'in_flight', 'queued_events', 'oldest_seconds']) {
    assert.match(metrics, new RegExp(`^holdfast_outbox_${name} 0$`, 'm'))
  }
  assert.match(metrics, /holdfast_http_request_seconds_count\{operation="getVersions",status="200"\} 1/)
  const proxied = await fetch(`${url}/metrics`, { headers: { 'x-forwarded-for': '203.0.113.9' } })
  assert.equal(proxied.status, 403)
  assert.equal((await fetch(`${url}/metrics`, { method: 'POST' })).status, 405)
})

test('metrics for others are refused, and a port of their own takes them off the common one', async () => {
  await using folder = await aFolder()
  await using running = await startIn(folder.path, {
    metricsListen: [{ host: '127.0.0.1', port: 0 }],
    metricsAllow: addressRanges(['192.0.2.1']),
  })
  const [url, operations] = running.urls
  assert.equal((await fetch(`${url}/metrics`)).status, 404)
  assert.equal((await fetch(`${url}/health`)).status, 404)
  assert.equal((await fetch(`${operations}/metrics`)).status, 200)
  assert.equal((await fetch(`${operations}/health`)).status, 200)
  assert.equal((await fetch(`${operations}/_matrix/client/versions`)).status, 404)
})

test('what is no path of ours is unrecognized, in the form of the specification', async () => {
  await using folder = await aFolder()
  await using running = await startIn(folder.path)
  for (const path of [
    '/',
    '/_holdfast/',
    '/_holdfast/first-run/',
    '/health/',
    '/metrics/x',
    '/_matrix/nowhere',
    '/x',
  ]) {
    const response = await fetch(`${running.urls[0]}${path}`)
    assert.equal(response.status, 404, path)
    assert.equal(((await response.json()) as { errcode: string }).errcode, 'M_UNRECOGNIZED', path)
  }
})

test('web clients of every origin may use the API, and no other origin our own pages', async () => {
  await using folder = await aFolder()
  await using running = await startIn(folder.path)
  const originsOf = async (path: string) =>
    (await fetch(`${running.urls[0]}${path}`)).headers.get('access-control-allow-origin')
  for (const path of [
    '/_matrix/client/versions',
    '/_matrix/x',
    '/.well-known/matrix/client',
    '/_synapse/admin/v1/register',
  ]) {
    assert.equal(await originsOf(path), '*', path)
  }
  for (const path of ['/metrics', '/health', '/_holdfast/first-run']) assert.equal(await originsOf(path), null, path)
})

test('a second server on the same data does not start, and the first goes on', async () => {
  await using folder = await aFolder()
  await using running = await startIn(folder.path)
  await assert.rejects(startIn(folder.path), { name: 'DatabaseLocked' })
  assert.equal((await fetch(`${running.urls[0]}/health`)).status, 200)
})

test('a start that fails on a port leaves the data free', async () => {
  await using folder = await aFolder()
  await using other = await aFolder()
  await using running = await startIn(other.path)
  const port = Number(new URL(running.urls[0]!).port)
  await assert.rejects(startIn(folder.path, { listen: [{ host: '127.0.0.1', port }] }), { name: 'ListenFailed' })
  await using second = await startIn(folder.path)
  assert.equal((await fetch(`${second.urls[0]}/health`)).status, 200)
})

test('shared-secret registration is there if it has a secret', async () => {
  await using folder = await aFolder()
  await using running = await startIn(folder.path, { registrationSharedSecret: new Secret('hunter2') })
  const response = await fetch(`${running.urls[0]}/_synapse/admin/v1/register`)
  assert.equal(response.status, 200)
  assert.equal(typeof ((await response.json()) as { nonce: string }).nonce, 'string')
})
