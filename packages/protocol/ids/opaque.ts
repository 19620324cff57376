/** Identifiers without structure: device ids, opaque and namespaced identifiers, client secrets. */
import type { DeviceId } from './brand.ts'

/** Our limit; the specification names none. */
export const DEVICE_ID_CHARACTERS_MAX = 512

// oxlint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u001f\u007f]/
const OPAQUE = /^[0-9A-Za-z._~-]{1,255}$/
const NAMESPACED = /^[a-z][a-z0-9._-]{0,254}$/
const CLIENT_SECRET = /^[0-9a-zA-Z.=_-]{1,255}$/
const MEDIA_ID = /^[A-Za-z0-9_-]{1,255}$/

/** Anything a client names its device, without control characters. */
export function parseDeviceId(raw: string): DeviceId | undefined {
  if (raw.length < 1 || raw.length > DEVICE_ID_CHARACTERS_MAX) return undefined
  return raw.isWellFormed() && !CONTROL.test(raw) ? (raw as DeviceId) : undefined
}

/** <https://spec.matrix.org/v1.19/appendices/#opaque-identifiers> */
export function isOpaqueId(raw: string): boolean {
  return OPAQUE.test(raw)
}

/** <https://spec.matrix.org/v1.19/appendices/#common-namespaced-identifier-grammar> */
export function isNamespacedId(raw: string): boolean {
  return NAMESPACED.test(raw)
}

/** <https://spec.matrix.org/v1.19/client-server-api/#adding-account-administrative-contact-information> */
export function isClientSecret(raw: string): boolean {
  return CLIENT_SECRET.test(raw)
}

/** <https://spec.matrix.org/v1.19/client-server-api/#security-considerations-5> */
export function isMediaId(raw: string): boolean {
  return MEDIA_ID.test(raw)
}
