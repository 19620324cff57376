/** What counts as one client address for rate limits. */
import { isIPv6 } from 'node:net'

const GROUPS = 8
/** A household or a host is given a whole /64, so that is what counts as one address. */
const NETWORK_GROUPS = 4

/** An IPv4 address as it is, an IPv6 address cut to its /64. */
export function addressKey(address: string): string {
  const plain = address.split('%')[0]!
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(plain)
  if (mapped !== null) return mapped[1]!
  return isIPv6(plain) ? `${network(plain)}::/64` : plain
}

function network(address: string): string {
  const [head = '', tail] = address.split('::')
  const before = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = Array.from({ length: Math.max(0, GROUPS - before.length - after.length) }, () => '0')
  const groups = [...before, ...zeros, ...after].slice(0, NETWORK_GROUPS)
  return groups.map((group) => Number.parseInt(group, 16).toString(16)).join(':')
}
