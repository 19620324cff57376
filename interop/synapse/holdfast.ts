/** Holdfast as the suites start it, with TLS towards other servers on an address of 127.0.0.0/8. */
import { dirname, join } from 'node:path'
import { freePort } from '../server/free-port.ts'
import { prepareHoldfast } from '../server/holdfast.ts'
import type { Authority } from './certificates.ts'
import type { Peer } from './peer.ts'

export type HoldfastPlace = { readonly address: string; readonly authority: Authority }

export async function prepareFederatingHoldfast({ address, authority }: HoldfastPlace): Promise<Peer> {
  const port = await freePort(address)
  const { certFile, keyFile } = authority.issue(address)
  const serverName = `${address}:${port}`
  const server = await prepareHoldfast({
    settings: {
      HOLDFAST_SERVER_NAME: serverName,
      HOLDFAST_TLS_LISTEN: serverName,
      HOLDFAST_TLS_CERT: certFile,
      HOLDFAST_TLS_KEY: keyFile,
      HOLDFAST_TRUSTED_CA: authority.caFile,
      HOLDFAST_OUTGOING_ALLOW: '127.0.0.0/8',
    },
  })
  return {
    software: 'holdfast',
    label: 'Holdfast',
    serverName,
    url: server.url,
    registrationSecret: server.sharedSecret,
    logFile: join(dirname(server.dataFolder), 'server.log'),
    start: () => server.start(),
    stop: () => server.stop(),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}
