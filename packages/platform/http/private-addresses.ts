/** Which addresses a request to the outside must not reach: a name anywhere may point to our own network. */
import { BlockList, isIP } from 'node:net'
import type { AddressRanges } from './address-ranges.ts'

const RANGES_V4: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
]

const RANGES_V6: readonly (readonly [string, number])[] = [
  ['::', 128],
  ['::1', 128],
  // Forms that carry an IPv4 address: mapped, translated (NAT64), Teredo, 6to4. Nobody needs them to reach a server.
  ['::', 96],
  ['::ffff:0:0', 96],
  ['::ffff:0:0:0', 96],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['2001::', 32],
  ['2002::', 16],
  ['100::', 64],
  ['2001:2::', 48],
  ['2001:10::', 28],
  ['2001:20::', 28],
  ['2001:db8::', 32],
  ['3fff::', 20],
  ['5f00::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
]

// Two lists, because a BlockList takes every IPv4 address for a mapped one and finds it in ::ffff:0:0/96.
const PRIVATE_V4 = new BlockList()
const PRIVATE_V6 = new BlockList()
for (const [address, prefix] of RANGES_V4) PRIVATE_V4.addSubnet(address, prefix, 'ipv4')
for (const [address, prefix] of RANGES_V6) PRIVATE_V6.addSubnet(address, prefix, 'ipv6')

/** Ports of services that would take an HTTP request for commands, or answer it with something worth stealing. */
const FORBIDDEN_PORTS = new Set([
  1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109, 110,
  111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530, 531, 532,
  540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 2375, 3306, 3659, 4045, 4190,
  5060, 5061, 5432, 6000, 6379, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 9200, 10080, 11211, 27017,
])

/** @param allowed what the operator lets through (`outgoing_allow`), whatever the port */
export function mayConnect(
  target: { readonly address: string; readonly port: number },
  allowed: AddressRanges,
): boolean {
  const version = isIP(target.address)
  if (version === 0 || target.address.includes('%')) return false
  if (allowed.contains(target.address)) return true
  if (FORBIDDEN_PORTS.has(target.port)) return false
  return version === 4 ? !PRIVATE_V4.check(target.address, 'ipv4') : !PRIVATE_V6.check(target.address, 'ipv6')
}
