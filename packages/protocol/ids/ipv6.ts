/** The text form of IPv6 addresses. <https://www.rfc-editor.org/rfc/rfc3513#section-2.2> */

const GROUP = /^[0-9A-Fa-f]{1,4}$/
const IPV4_OCTET = /^(?:0|[1-9]\d{0,2})$/
const GROUPS = 8

export function isIpv6(text: string): boolean {
  const halves = text.split('::')
  if (halves.length > 2) return false
  const [head = '', tail] = halves
  const headGroups = groupCount(head, tail === undefined)
  if (tail === undefined) return headGroups === GROUPS
  const tailGroups = groupCount(tail, true)
  // `::` stands for at least one group of zeros.
  return headGroups !== undefined && tailGroups !== undefined && headGroups + tailGroups < GROUPS
}

/** How many 16-bit groups the part holds, or undefined. Only the end of the address may be written as IPv4. */
function groupCount(part: string, mayEndInIpv4: boolean): number | undefined {
  if (part === '') return 0
  const groups = part.split(':')
  const last = groups.at(-1) as string
  if (mayEndInIpv4 && isIpv4(last)) {
    return groups.slice(0, -1).every((group) => GROUP.test(group)) ? groups.length + 1 : undefined
  }
  return groups.every((group) => GROUP.test(group)) ? groups.length : undefined
}

export function isIpv4(text: string): boolean {
  const octets = text.split('.')
  return octets.length === 4 && octets.every((octet) => IPV4_OCTET.test(octet) && Number(octet) <= 255)
}
