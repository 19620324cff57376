/** Who is at the other end, once the proxies that we trust are taken off. */
import { isIP } from 'node:net'
import type { AddressRanges } from './address-ranges.ts'

/**
 * Walks X-Forwarded-For from our side. Each hop is believed only if the hop before it is a trusted proxy, so that what
 * a client writes into the header itself is never reached.
 */
export function clientAddress(socketAddress: string, forwardedFor: string | undefined, trusted: AddressRanges): string {
  let address = plainAddress(socketAddress)
  if (forwardedFor === undefined || trusted.ranges.length === 0) return address
  const hops = forwardedFor.split(',')
  while (trusted.contains(address)) {
    const hop = hops.pop()
    if (hop === undefined) break
    const claimed = withoutPort(hop.trim())
    if (isIP(claimed) === 0) break
    address = plainAddress(claimed)
  }
  return address
}

/** `::ffff:192.0.2.1` is 192.0.2.1: rate limits and ranges must see one address, not two. */
function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address
}

/** Some proxies write `192.0.2.1:4711` or `[2001:db8::1]:4711`. */
function withoutPort(hop: string): string {
  const bracketed = /^\[([^\]]+)\](?::\d+)?$/.exec(hop)
  if (bracketed !== null) return bracketed[1]!
  const v4 = /^([\d.]+):\d+$/.exec(hop)
  return v4 === null ? hop : v4[1]!
}
