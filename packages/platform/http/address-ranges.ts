/** Sets of IP addresses and ranges, as operators write them: `10.0.0.0/8, ::1`. */
import { BlockList, isIP } from 'node:net'

export type AddressRanges = {
  readonly ranges: readonly string[]
  contains(address: string): boolean
}

/** Parses `address` or `address/prefix`. Returns undefined when it is neither. */
export function parseRange(raw: string): { address: string; prefix: number; family: 'ipv4' | 'ipv6' } | undefined {
  const slash = raw.indexOf('/')
  const address = slash === -1 ? raw : raw.slice(0, slash)
  const version = isIP(address)
  if (version === 0 || address.includes('%')) return undefined
  const bits = version === 4 ? 32 : 128
  const prefixText = slash === -1 ? String(bits) : raw.slice(slash + 1)
  if (!/^\d{1,3}$/.test(prefixText) || Number(prefixText) > bits) return undefined
  return { address, prefix: Number(prefixText), family: version === 4 ? 'ipv4' : 'ipv6' }
}

/** @throws {TypeError} one of them is not an address or range; configuration is checked before it gets here */
export function addressRanges(ranges: readonly string[]): AddressRanges {
  const list = new BlockList()
  for (const raw of ranges) {
    const range = parseRange(raw)
    if (range === undefined) throw new TypeError(`not an address range: ${raw}`)
    list.addSubnet(range.address, range.prefix, range.family)
  }
  return {
    ranges,
    contains: (address) => {
      const version = isIP(address)
      return version !== 0 && list.check(address, version === 4 ? 'ipv4' : 'ipv6')
    },
  }
}
