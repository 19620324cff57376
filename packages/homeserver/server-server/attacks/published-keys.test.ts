/** Over real sockets: what a server publishes as its keys, and whether what it signs is believed. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { createSystemClock } from '@holdfast/platform/clock/system-clock'
import { addressRanges } from '@holdfast/platform/http/address-ranges'
import { createNetworkClient } from '@holdfast/platform/http/network-client'
import { selfSigned } from '@holdfast/platform/http/testing/certificate'
import type { JsonObject } from '@holdfast/protocol/json/value'
import { signJson } from '@holdfast/protocol/signing/sign-json'
import { aPeer } from '../../federation/transport/testing/peers.ts'
import { startTestHomeserver } from '../../testing/homeserver.ts'
import { authorization, keyOfPeer, publishedKeys } from '../../testing/peer.ts'

const DAY_MS = 24 * 3_600_000
const BYTES_MAX = 51_200
const CERTIFICATE = selfSigned({ dnsNames: ['unused.example'], addresses: ['127.0.0.1'] })

type Publishing = {
  /** The text of the answer, or undefined for one that never ends. */
  readonly text: (server: string) => string | undefined
  readonly isBelieved: boolean
}

function soundly(server: string): JsonObject {
  return publishedKeys(server, { validUntilTs: Date.now() + DAY_MS })
}

/** Sound, signed, and as many bytes long. */
function ofSize(server: string, bytes: number): string {
  const { signatures: _signatures, ...unsigned } = soundly(server)
  const sized = (padding: number): string =>
    JSON.stringify(
      signJson({ ...unsigned, 'org.example.padding': 'x'.repeat(padding) }, { signer: server, key: keyOfPeer(server) }),
    )
  return sized(bytes - sized(0).length)
}

function foreign(server: string): string {
  const { signatures: _signatures, ...unsigned } = publishedKeys(server, { validUntilTs: Date.now() + DAY_MS })
  return JSON.stringify(signJson(unsigned, { signer: 'evil.example', key: keyOfPeer('evil.example') }))
}

const PUBLISHING: Readonly<Record<string, Publishing>> = {
  'as they must be': { text: (server) => JSON.stringify(soundly(server)), isBelieved: true },
  'in as many bytes as they may be': { text: (server) => ofSize(server, BYTES_MAX), isBelieved: true },
  'in one byte more': { text: (server) => ofSize(server, BYTES_MAX + 1), isBelieved: false },
  'in five megabytes': { text: (server) => ofSize(server, 5_000_000), isBelieved: false },
  'in an answer without end': { text: () => undefined, isBelieved: false },
  'under the name of another server': { text: () => JSON.stringify(soundly('evil.example')), isBelieved: false },
  'with the signature of another server': { text: foreign, isBelieved: false },
  'after their time': {
    text: (server) => JSON.stringify(publishedKeys(server, { validUntilTs: Date.now() - 1 })),
    isBelieved: false,
  },
}

test('[D7] keys are taken from a bounded answer of the server itself only, and a request of another is not believed', async (t) => {
  const http = createNetworkClient({
    clock: createSystemClock(),
    allow: addressRanges(['127.0.0.0/8']),
    userAgent: 'Holdfast/test',
    trustedCa: CERTIFICATE.cert,
  })
  const homeserver = await startTestHomeserver({ http })
  t.after(() => homeserver[Symbol.asyncDispose]())
  for (const [what, { text, isBelieved }] of Object.entries(PUBLISHING)) {
    let sent = 0
    await using peer = await aPeer(CERTIFICATE, (_request, response) => {
      const whole = text(`127.0.0.1:${peer.port}`)
      response.writeHead(200, { 'content-type': 'application/json' })
      if (whole !== undefined) return void response.end(whole)
      const more = (): void => {
        while (!response.destroyed && response.write('x'.repeat(10_000))) sent += 10_000
      }
      response.on('drain', more)
      more()
    })
    const origin = `127.0.0.1:${peer.port}`
    const target = '/_matrix/federation/v1/query/directory?room_alias=%23nothing%3Aexample.org'
    const signed = { origin, destination: 'example.org', method: 'GET', target }
    const headers = { authorization: authorization(signed) }
    const { status } = await homeserver.request('GET', target, { headers })
    assert.equal(status, isBelieved ? 404 : 401, what)
    assert.deepEqual(
      peer.seen.map(({ url }) => url),
      ['/_matrix/key/v2/server'],
    )
    assert.ok(sent < 10_000_000, `${sent} bytes of it were read`)
  }
})
