/** Sockets to the outside that can only reach permitted addresses, whatever a name resolves to at that moment. */
import type { LookupAddress } from 'node:dns'
import { isIP, type LookupFunction, type Socket } from 'node:net'
import type { checkServerIdentity, SecureContext } from 'node:tls'
import type { buildConnector } from 'undici'
import { OutgoingFailed } from './client.ts'
import { outgoingFailure } from './outgoing-failure.ts'

export type Guard = (target: { readonly address: string; readonly port: number }) => boolean

export type OutgoingTls = {
  readonly checkServerIdentity: typeof checkServerIdentity
  /** With the authorities to trust, read once for all connections; Node's own when undefined. */
  readonly secureContext: SecureContext | undefined
}

export type GuardedConnectOptions = {
  readonly guard: Guard
  readonly connectMs: number
  readonly tls: OutgoingTls
  readonly lookup: LookupFunction
  /** Holds each socket until it is connected, so that whoever stops need not wait for silent servers. */
  readonly connecting: Set<Socket>
  /** The name that the certificate must carry. */
  readonly name: string
  readonly connectTo: { readonly host: string; readonly port: number }
}

/**
 * The check sits where the socket takes its address. Checking a name first and connecting to it later would let the
 * name change its mind in between (DNS rebinding).
 */
export function guardedConnector(
  build: typeof buildConnector,
  { guard, connectMs, tls, lookup, connecting, name, connectTo: { host, port } }: GuardedConnectOptions,
): buildConnector.connector {
  const connect = build({
    timeout: connectMs,
    lookup: guardedLookup(lookup, guard, port),
    autoSelectFamilyAttemptTimeout: ATTEMPT_MS,
    // Left to itself, Node would hold the certificate of an address literal against the address it connects to.
    checkServerIdentity: (_, certificate) => tls.checkServerIdentity(name, certificate),
    ...(tls.secureContext === undefined ? {} : { secureContext: tls.secureContext }),
  })
  const servername = isIP(name) === 0 ? name : ''
  return (target, callback) => {
    // A literal address never passes through the lookup.
    if (isIP(host) !== 0 && !guard({ address: host, port })) {
      callback(refused(host), null)
      return
    }
    const to = { ...target, hostname: host, host, port: String(port), servername }
    // The types of undici keep it secret that the socket is returned.
    const opening: unknown = connect(to, (...[error, socket]) => {
      connecting.delete(opening as Socket)
      if (error === null) callback(null, socket)
      else callback(outgoingFailure(error, { maybeSent: false }), null)
    })
    connecting.add(opening as Socket)
  }
}

/** When the next of several addresses is tried. Node's quarter of a second is too short for the other side of the earth. */
const ATTEMPT_MS = 1_000

/** Answers with the permitted addresses only. */
function guardedLookup(lookup: LookupFunction, guard: Guard, port: number): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, found) => {
      if (error !== null) {
        callback(error, [])
        return
      }
      const allowed = (found as LookupAddress[]).filter(({ address }) => guard({ address, port }))
      const first = allowed[0]
      if (first === undefined) callback(refused(hostname), [])
      else if (options.all === true) callback(null, allowed)
      else callback(null, first.address, first.family)
    })
  }
}

function refused(host: string): OutgoingFailed {
  return new OutgoingFailed('address-not-allowed', `${host} has no address that requests to the outside may reach`, {
    maybeSent: false,
  })
}
