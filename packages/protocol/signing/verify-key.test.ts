import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { describe, it } from 'node:test'
import { isSoundPoint } from './points.ts'
import { createSigningKey } from './signing-key.ts'
import { parseVerifyKey, verifyKeyFromBytes } from './verify-key.ts'

const PRIME = 2n ** 255n - 19n
const D = mod(-121_665n * inverse(121_666n))
const ROOT_OF_MINUS_ONE = power(2n, (PRIME - 1n) / 4n)

type Point = { readonly x: bigint; readonly y: bigint }

function mod(value: bigint): bigint {
  return ((value % PRIME) + PRIME) % PRIME
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n
  let square = mod(base)
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = mod(result * square)
    square = mod(square * square)
  }
  return result
}

function inverse(value: bigint): bigint {
  return power(value, PRIME - 2n)
}

/** <https://www.rfc-editor.org/rfc/rfc8032#section-5.1.3> */
function pointOf(y: bigint): Point | undefined {
  const square = mod((y * y - 1n) * inverse(D * y * y + 1n))
  let x = power(square, (PRIME + 3n) / 8n)
  if (mod(x * x - square) !== 0n) x = mod(x * ROOT_OF_MINUS_ONE)
  return mod(x * x - square) === 0n ? { x, y } : undefined
}

function add(left: Point, right: Point): Point {
  const product = mod(D * left.x * right.x * left.y * right.y)
  return {
    x: mod((left.x * right.y + left.y * right.x) * inverse(1n + product)),
    y: mod((left.y * right.y + left.x * right.x) * inverse(1n - product)),
  }
}

function times(scalar: bigint, point: Point): Point {
  let result: Point = { x: 0n, y: 1n }
  let doubled = point
  for (let rest = scalar; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = add(result, doubled)
    doubled = add(doubled, doubled)
  }
  return result
}

function encode(y: bigint, sign: bigint): Uint8Array {
  let rest = y | (sign << 255n)
  return Uint8Array.from({ length: 32 }, () => {
    const byte = Number(rest & 255n)
    rest >>= 8n
    return byte
  })
}

const GROUP_ORDER = 2n ** 252n + 27_742_317_777_372_353_535_851_937_790_883_648_493n

/** All points of order 1, 2, 4 and 8: any point times the order of the large subgroup is one of them. */
function smallOrderPoints(): Point[] {
  const found = new Map<string, Point>()
  for (let y = 2n; found.size < 8; y += 1n) {
    const point = pointOf(y)
    if (point === undefined) continue
    const torsion = times(GROUP_ORDER, point)
    for (let multiple = 0n; multiple < 8n; multiple += 1n) {
      const { x, y: ordinate } = times(multiple, torsion)
      found.set(`${x},${ordinate}`, { x, y: ordinate })
    }
  }
  return [...found.values()]
}

const seed = new Uint8Array(32).fill(9)
const key = createSigningKey({ keyId: 'ed25519:1', seed })
const signatureOf = (message: string) => Buffer.from(key.sign(message), 'base64')

function toInteger(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n)
}

/** The signature that the owner of the key can make to any R of which they know that its own secret is zero. */
function signatureWithR(r: Uint8Array, message: string): Uint8Array {
  const secret = hash('sha512', seed, 'buffer').subarray(0, 32)
  secret[0] = (secret[0] as number) & 248
  secret[31] = ((secret[31] as number) & 127) | 64
  const publicKey = Buffer.from(key.publicKey, 'base64')
  const challenge = toInteger(hash('sha512', Buffer.concat([r, publicKey, Buffer.from(message)]), 'buffer'))
  return Buffer.concat([r, encode((challenge * toInteger(secret)) % GROUP_ORDER, 0n)])
}

describe('public key', () => {
  it('of small order is refused, all eight points with either sign', () => {
    const points = smallOrderPoints()
    assert.equal(points.length, 8)
    for (const { y } of points) {
      for (const sign of [0n, 1n]) assert.equal(verifyKeyFromBytes(encode(y, sign)), undefined, String(y))
    }
  })

  it('of a coordinate at or above the prime is refused', () => {
    for (let y = PRIME; y < 2n ** 255n; y += 1n) {
      for (const sign of [0n, 1n]) assert.ok(!isSoundPoint(encode(y, sign)), String(y - PRIME))
    }
    assert.ok(isSoundPoint(encode(PRIME - 2n, 0n)))
  })

  it('that is no 32 bytes of base64 is refused', () => {
    const good = key.publicKey
    for (const bad of [
      '',
      good.slice(1),
      `${good}A`,
      `${good}AA`,
      ` ${good}`,
      good.replaceAll(/[A-Za-z]/g, '*'),
      `${good}==`,
    ]) {
      assert.equal(parseVerifyKey(bad), undefined, bad)
    }
  })

  it('has one spelling, whatever it came in', () => {
    assert.equal(parseVerifyKey(`${key.publicKey}=`)?.publicKey, key.publicKey)
    assert.equal(parseVerifyKey(key.publicKey)?.publicKey, key.publicKey)
  })

  it('that is no point of the curve verifies nothing', () => {
    const off = Array.from({ length: 40 }, (_, index) => BigInt(index + 2)).find((y) => pointOf(y) === undefined)
    const bytes = encode(off as bigint, 0n)
    assert.notEqual(verifyKeyFromBytes(bytes)?.verify('x', signatureOf('x')), true)
  })
})

describe('signature check', () => {
  const verifyKey = parseVerifyKey(key.publicKey)
  assert.ok(verifyKey)

  it('holds for the message that was signed, as text and as bytes', () => {
    assert.ok(verifyKey.verify('grüße', signatureOf('grüße')))
    assert.ok(verifyKey.verify(new TextEncoder().encode('grüße'), signatureOf('grüße')))
    assert.ok(!verifyKey.verify('grüße!', signatureOf('grüße')))
  })

  it('fails for every flipped bit', () => {
    const signature = signatureOf('x')
    for (let bit = 0; bit < 512; bit += 1) {
      const broken = Uint8Array.from(signature)
      broken[bit >> 3] = (broken[bit >> 3] as number) ^ (1 << (bit & 7))
      assert.ok(!verifyKey.verify('x', broken), String(bit))
    }
  })

  it('fails for signatures of another length', () => {
    const signature = signatureOf('x')
    for (const bad of [signature.subarray(1), Buffer.concat([signature, Buffer.of(0)]), new Uint8Array(0)]) {
      assert.ok(!verifyKey.verify('x', bad))
    }
  })

  it('fails for a scalar to which the order of the group was added', () => {
    const signature = signatureOf('x')
    const scalar = toInteger(signature.subarray(32))
    const other = Buffer.concat([signature.subarray(0, 32), encode(scalar + GROUP_ORDER, 0n)])
    assert.ok(!verifyKey.verify('x', other))
  })

  it('fails for an R of small order or of a second spelling', () => {
    for (const { x, y } of smallOrderPoints()) {
      const signature = signatureWithR(encode(y, x & 1n), 'x')
      assert.ok(!verifyKey.verify('x', signature), String(y))
    }
    assert.ok(!isSoundPoint(encode(PRIME + 1n, 0n)))
  })
})
