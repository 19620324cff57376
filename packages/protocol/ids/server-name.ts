/** Server names: host, IPv4 or bracketed IPv6 literal, and an optional port. <https://spec.matrix.org/v1.19/appendices/#server-name> */
import type { ServerName } from './brand.ts'
import { isIpv6 } from './ipv6.ts'

const HOST_AND_PORT = /^(?:\[([0-9A-Fa-f:.]{2,45})\]|([0-9A-Za-z.-]{1,255}))(?::([0-9]{1,5}))?$/
const IPV4 = /^(?:\d{1,3}\.){3}\d{1,3}$/

/** Server names are compared as they are, with their case. */
export function parseServerName(raw: string): ServerName | undefined {
  const match = HOST_AND_PORT.exec(raw)
  if (match === null) return undefined
  const ipv6 = match[1]
  if (ipv6 !== undefined && !isIpv6(ipv6)) return undefined
  return raw as ServerName
}

export type ServerAddress = {
  /** Without brackets. */
  readonly host: string
  readonly kind: 'dns' | 'ipv4' | 'ipv6'
  readonly port: number | undefined
}

/** The parts of a server name, for finding and for judging it. */
export function serverAddress(serverName: ServerName): ServerAddress {
  const match = HOST_AND_PORT.exec(serverName) as RegExpExecArray
  const [, ipv6, host = ''] = match
  const port = match[3] === undefined ? undefined : Number(match[3])
  if (ipv6 !== undefined) return { host: ipv6, kind: 'ipv6', port }
  return { host, kind: IPV4.test(host) ? 'ipv4' : 'dns', port }
}

/** Whether the name is an address literal, which `allow_ip_literals` of a server ACL speaks about. */
export function isIpLiteral(serverName: ServerName): boolean {
  return serverAddress(serverName).kind !== 'dns'
}
