/** Every Random is a source of bytes with the same, unbiased, way of drawing from it. */
import assert from 'node:assert/strict'
import type { Random } from './random.ts'

const ALPHANUMERIC = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
/** `integer` draws six bytes. */
const INTEGER_MAX = 2 ** 48

export function randomFromBytes(bytes: (length: number) => Uint8Array): Random {
  return {
    bytes,
    text: (length, alphabet = ALPHANUMERIC) => drawText(bytes, length, alphabet),
    integer: (exclusiveMax) => drawInteger(bytes, exclusiveMax),
  }
}

/** Bytes at or above the largest multiple of the alphabet's size are drawn again, or the first letters came up more often. */
function drawText(bytes: (length: number) => Uint8Array, length: number, alphabet: string): string {
  assert(alphabet.length > 0 && alphabet.length <= 256, 'an alphabet has 1 to 256 letters')
  const fair = 256 - (256 % alphabet.length)
  let text = ''
  while (text.length < length) {
    for (const byte of bytes(length - text.length + 8)) {
      if (byte < fair && text.length < length) text += alphabet[byte % alphabet.length]
    }
  }
  return text
}

function drawInteger(bytes: (length: number) => Uint8Array, exclusiveMax: number): number {
  assert(Number.isInteger(exclusiveMax) && exclusiveMax > 0 && exclusiveMax <= INTEGER_MAX, 'range of 1 to 2^48')
  const fair = INTEGER_MAX - (INTEGER_MAX % exclusiveMax)
  for (;;) {
    let drawn = 0
    for (const byte of bytes(6)) drawn = drawn * 256 + byte
    if (drawn < fair) return drawn % exclusiveMax
  }
}
