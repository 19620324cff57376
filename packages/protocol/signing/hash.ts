/** SHA-256 in the spellings the protocol uses: content hashes, reference hashes, event ids. */
import { hash } from 'node:crypto'
import { encodeBase64, encodeBase64Url } from './base64.ts'

export function sha256(data: Uint8Array | string): Uint8Array {
  return hash('sha256', data, 'buffer')
}

/** Unpadded base64 of the hash; a string is hashed as UTF-8. */
export function sha256Base64(data: Uint8Array | string): string {
  return encodeBase64(sha256(data))
}

/** URL-safe unpadded base64 of the hash, as in event ids since room version 4. */
export function sha256Base64Url(data: Uint8Array | string): string {
  return encodeBase64Url(sha256(data))
}
