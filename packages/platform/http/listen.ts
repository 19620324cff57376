/** Addresses to listen on. */
import type { Server } from 'node:http'
import { type AddressInfo, isIPv6 } from 'node:net'

export type ListenAddress = { readonly host: string; readonly port: number }

/** `host:port`, `[v6]:port`, or `port` for all addresses of the machine. */
export function parseListenAddress(raw: string): ListenAddress | undefined {
  const match = /^(?:(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]/]+)|(\*)):)?(\d{1,5})$/.exec(raw)
  if (match === null || Number(match[4]) > 65_535) return undefined
  const [, v6, name, , port] = match
  if (v6 !== undefined && !isIPv6(v6)) return undefined
  return { host: v6 ?? (name === '*' ? undefined : name) ?? '::', port: Number(port) }
}

export function urlOf(address: ListenAddress, tls: boolean): string {
  const host = address.host.includes(':') ? `[${address.host}]` : address.host
  return `${tls ? 'https' : 'http'}://${host}:${address.port}`
}

/** What stops a start, in words for the operator. */
export class ListenFailed extends Error {
  readonly code: string | undefined
  constructor(address: ListenAddress, cause: NodeJS.ErrnoException) {
    super(`cannot listen on ${urlOf(address, false).slice(7)}: ${reason(cause)}`, { cause })
    this.name = 'ListenFailed'
    this.code = cause.code
  }
}

function reason(cause: NodeJS.ErrnoException): string {
  switch (cause.code) {
    case 'EADDRINUSE':
      return 'another program listens there already'
    case 'EACCES':
      return 'ports below 1024 need more rights'
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return 'this machine has no such address'
    default:
      return cause.message
  }
}

/** `localhost` is two addresses, and clients choose either; a machine without IPv6 has only one of them. */
const LOCALHOST = [
  { host: '127.0.0.1', optional: false },
  { host: '::1', optional: true },
]

/** `::` takes IPv4 as well; a machine without IPv6 has only the latter. */
const ANY = [
  { host: '::', optional: true },
  { host: '0.0.0.0', optional: false },
]

function hostsOf({ host }: ListenAddress): readonly { readonly host: string; readonly optional: boolean }[] {
  if (host === 'localhost') return LOCALHOST
  return host === '::' ? ANY : [{ host, optional: false }]
}

export async function listenOn(
  make: () => Server,
  listen: readonly ListenAddress[],
  backlog: number,
): Promise<{ servers: Server[]; addresses: ListenAddress[] }> {
  const servers: Server[] = []
  const addresses: ListenAddress[] = []
  try {
    for (const address of listen) {
      let port = address.port
      let bound = false
      for (const { host, optional } of hostsOf(address)) {
        if (bound && address.host === '::') break
        const server = make()
        const boundPort = await tryListen(server, { host, port }, backlog, optional)
        if (boundPort === undefined) continue
        bound = true
        port = boundPort
        servers.push(server)
      }
      addresses.push({ host: address.host, port })
    }
  } catch (error) {
    for (const server of servers) server.close()
    throw error
  }
  return { servers, addresses }
}

async function tryListen(
  server: Server,
  address: ListenAddress,
  backlog: number,
  optional: boolean,
): Promise<number | undefined> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ ...address, backlog }, () => {
        server.off('error', reject)
        resolve()
      })
    })
  } catch (error) {
    const cause = error as NodeJS.ErrnoException
    if (optional && (cause.code === 'EADDRNOTAVAIL' || cause.code === 'EAFNOSUPPORT')) return undefined
    throw new ListenFailed(address, cause)
  }
  return (server.address() as AddressInfo).port
}
