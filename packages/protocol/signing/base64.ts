/** Unpadded base64, read strictly: one value has one spelling. <https://spec.matrix.org/v1.19/appendices/#unpadded-base64> */

const STANDARD = /^[A-Za-z0-9+/]*$/
const URL_SAFE = /^[A-Za-z0-9_-]*$/

export function encodeBase64(bytes: Uint8Array): string {
  return bytes.toBase64({ omitPadding: true })
}

export function encodeBase64Url(bytes: Uint8Array): string {
  return bytes.toBase64({ alphabet: 'base64url', omitPadding: true })
}

/** The bytes of unpadded standard base64; undefined for padding, whitespace, other alphabets and stray trailing bits. */
export function decodeBase64(text: string): Uint8Array | undefined {
  return STANDARD.test(text) ? decode(text, 'base64') : undefined
}

/** As `decodeBase64`, in the URL-safe alphabet. */
export function decodeBase64Url(text: string): Uint8Array | undefined {
  return URL_SAFE.test(text) ? decode(text, 'base64url') : undefined
}

/**
 * Reads signatures and keys of other servers: correct padding and stray trailing bits are accepted too.
 * Such a value is opaque only after decoding, other servers read these spellings, and whoever refused them alone would see
 * another room than they do. Whitespace and other alphabets are refused. <https://spec.matrix.org/v1.19/appendices/#binary-data>
 */
export function decodeBase64Tolerant(text: string): Uint8Array | undefined {
  const unpadded = withoutPadding(text)
  if (unpadded === undefined || !STANDARD.test(unpadded) || unpadded.length % 4 === 1) return undefined
  return Uint8Array.fromBase64(unpadded, { lastChunkHandling: 'loose' })
}

function withoutPadding(text: string): string | undefined {
  if (!text.endsWith('=')) return text
  if (text.length % 4 !== 0) return undefined
  return text.slice(0, text.endsWith('==') ? -2 : -1)
}

function decode(text: string, alphabet: 'base64' | 'base64url'): Uint8Array | undefined {
  const tail = text.length % 4
  if (tail === 1) return undefined
  const padded = tail === 0 ? text : text.padEnd(text.length + 4 - tail, '=')
  try {
    return Uint8Array.fromBase64(padded, { alphabet, lastChunkHandling: 'strict' })
  } catch {
    return undefined
  }
}
