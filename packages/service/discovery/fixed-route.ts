/** Server names that say themselves where the server is: address literals, and names with a port. */
import type { ServerName } from '@holdfast/protocol/ids/brand'
import { serverAddress } from '@holdfast/protocol/ids/server-name'
import type { Route } from './route.ts'

export const FEDERATION_PORT = 8448

/** Whether well-known and SRV have a say: a DNS name without a port. */
export function needsDiscovery(serverName: ServerName): boolean {
  const { kind, host, port } = serverAddress(serverName)
  return kind === 'dns' && port === undefined && isDnsName(host)
}

/** Undefined for a name that nothing can be reached under. */
export function fixedRoute(serverName: ServerName): Route | undefined {
  const { kind, host, port } = serverAddress(serverName)
  if (port !== undefined && (port < 1 || port > 65_535)) return undefined
  if (kind === 'ipv4' ? !isIpv4(host) : kind === 'dns' && !isDnsName(host)) return undefined
  if (kind === 'dns' && port === undefined) return undefined
  const via = kind === 'dns' ? 'port' : 'literal'
  return { hostHeader: serverName, tlsName: host, connectTo: [{ host, port: port ?? FEDERATION_PORT }], via }
}

/** `127.1`, `0x7f.1` and `2130706433` are addresses to some and names to others: to us neither. */
function isDnsName(host: string): boolean {
  const labels = (host.endsWith('.') ? host.slice(0, -1) : host).split('.')
  return (
    labels.every((label) => label.length >= 1 && label.length <= 63) &&
    !/^(?:\d+|0[xX][0-9A-Fa-f]*)$/.test(labels.at(-1)!)
  )
}

function isIpv4(host: string): boolean {
  return host.split('.').every((octet) => /^(?:0|[1-9]\d{0,2})$/.test(octet) && Number(octet) <= 255)
}
