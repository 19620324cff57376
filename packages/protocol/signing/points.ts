/** Which 32 bytes may stand for an Ed25519 point: one spelling per point, and none of small order. */

// With a point of small order a signature can hold for every message, and implementations disagree on accepting it, so that an
// event would be real for a part of the network only. The y coordinates of the points of order 1, 2, 4 and 8, little-endian.
const SMALL_ORDER_Y: ReadonlySet<string> = new Set([
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '0000000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
])

export const POINT_BYTES = 32

/** Whether the bytes are the canonical encoding of a coordinate and not of a point of small order. */
export function isSoundPoint(bytes: Uint8Array): boolean {
  if (bytes.length !== POINT_BYTES) return false
  const y = Uint8Array.from(bytes)
  // The top bit is the sign of x. A canonical point with x = 0 has order 1 or 2, so both signs of it fall to the list.
  y[31] = (y[31] as number) & 0x7f
  return isBelowPrime(y) && !SMALL_ORDER_Y.has(y.toHex())
}

/** Whether the little-endian number is below 2^255 - 19. */
function isBelowPrime(y: Uint8Array): boolean {
  if (y[31] !== 0x7f) return true
  for (let index = 30; index > 0; index -= 1) if (y[index] !== 0xff) return true
  return (y[0] as number) < 0xed
}
