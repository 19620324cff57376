/** How large a request body may be, by path. */

export const BODY_BYTES_MAX = {
  usual: 256 * 1024,
  /** Key uploads, account data, and to-device messages for many devices at once. */
  large: 1024 * 1024,
  /** 50 events of 64 KiB with 100 ephemeral ones, and room for their signatures. */
  federation: 13 * 1024 * 1024,
  /** Our own forms. */
  own: 16 * 1024,
} as const

const LARGE =
  /^\/_matrix\/client\/[^/]+\/(?:keys\/|sendToDevice\/|room_keys\/|user\/[^/]+\/(?:rooms\/[^/]+\/)?account_data\/)/

export function bodyLimit(_method: string, path: string): number {
  if (path.startsWith('/_matrix/federation/')) return BODY_BYTES_MAX.federation
  if (path.startsWith('/_holdfast/')) return BODY_BYTES_MAX.own
  return LARGE.test(path) ? BODY_BYTES_MAX.large : BODY_BYTES_MAX.usual
}
