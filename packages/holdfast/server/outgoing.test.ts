import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { createSystemClock } from '@holdfast/platform/clock/system-clock'
import type { Config } from '@holdfast/platform/config/keys'
import { defaultConfig } from '@holdfast/platform/config/load'
import { addressRanges } from '@holdfast/platform/http/address-ranges'
import { selfSigned } from '@holdfast/platform/http/testing/certificate'
import { aFolder, startIn } from '../testing/a-holdfast.ts'
import { openOutgoing } from './outgoing.ts'

const LOOPBACK = addressRanges(['127.0.0.0/8'])

async function certificateIn(folder: string) {
  const files = { tlsCert: join(folder, 'cert.pem'), tlsKey: join(folder, 'key.pem') }
  const { cert, key } = selfSigned({ dnsNames: ['localhost'], addresses: ['127.0.0.1'] })
  await writeFile(files.tlsCert, cert)
  await writeFile(files.tlsKey, key)
  return files
}

async function fetchVersion(config: Partial<Config>, url: string) {
  await using outgoing = await openOutgoing({ config: defaultConfig(config), clock: createSystemClock() })
  return outgoing.http.send({ method: 'GET', url, deadlineMs: 30_000, responseBytesMax: 10_000 })
}

test('two servers meet over TLS, if private addresses and the authority are let in', async () => {
  await using folder = await aFolder()
  const files = await certificateIn(folder.path)
  await using running = await startIn(join(folder.path, 'data'), {
    tlsListen: [{ host: '127.0.0.1', port: 0 }],
    ...files,
    federationAddress: 'matrix.example.org:443',
  })
  const base = running.urls.find((one) => one.startsWith('https:'))!
  const url = `${base}/_matrix/federation/v1/version`
  const trustedCa = files.tlsCert
  assert.equal((await fetchVersion({ outgoingAllow: LOOPBACK, trustedCa }, url)).status, 200)
  await assert.rejects(fetchVersion({ trustedCa }, url), { failure: 'address-not-allowed' })
  await assert.rejects(fetchVersion({ outgoingAllow: LOOPBACK }, url), { failure: 'certificate' })
  const wellKnown = await fetchVersion({ outgoingAllow: LOOPBACK, trustedCa }, `${base}/.well-known/matrix/server`)
  assert.deepEqual(JSON.parse(Buffer.from(wellKnown.body).toString()), { 'm.server': 'matrix.example.org:443' })
})

test('an authority that cannot be read stops the start, in words for the operator', async () => {
  await using folder = await aFolder()
  const trustedCa = join(folder.path, 'ca.pem')
  await assert.rejects(startIn(join(folder.path, 'data'), { trustedCa }), {
    name: 'StartProblem',
    message: /trusted_ca/,
  })
  await writeFile(trustedCa, 'nothing')
  await assert.rejects(startIn(join(folder.path, 'data'), { trustedCa }), {
    kind: 'settings',
    message: /no certificate/,
  })
})

test('without a setting nobody is told of another server', async () => {
  await using folder = await aFolder()
  await using running = await startIn(folder.path)
  assert.equal((await fetch(`${running.urls[0]}/.well-known/matrix/server`)).status, 404)
})
