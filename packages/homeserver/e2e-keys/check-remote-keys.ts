/** What another server says of keys, as far as it may say it: of its own users, in a form that clients can be given. */
import { parseDeviceId } from '@holdfast/protocol/ids/opaque'
import type { UserId } from '@holdfast/protocol/ids/brand'
import { canonicalJson, isCanonicalValue } from '@holdfast/protocol/json/canonical'
import { emptyObject, isObject, type JsonObject, type JsonValue } from '@holdfast/protocol/json/value'
import { INPUT_LIMITS } from '@holdfast/protocol/limits'
import { fitsUtf8 } from '@holdfast/protocol/text/utf8'
import type { KeyUsage } from '../storage/cross-signing-keys.ts'
import { without } from './check-device-keys.ts'
import { E2E_LIMITS } from './limits.ts'

export type RemoteDevice = {
  readonly deviceId: string
  /** Canonical JSON; undefined: the device has none. */
  readonly keys: string | undefined
  readonly displayName: string | undefined
}

/** Undefined for what is not a device of this user. */
export function checkRemoteDevice(
  userId: UserId,
  device: {
    readonly deviceId: JsonValue | undefined
    readonly keys: JsonValue | undefined
    readonly name: JsonValue | undefined
  },
): RemoteDevice | undefined {
  const deviceId = typeof device.deviceId === 'string' ? parseDeviceId(device.deviceId) : undefined
  if (deviceId === undefined) return undefined
  const displayName = displayNameOf(device.name)
  if (device.keys === undefined || device.keys === null) return { deviceId, keys: undefined, displayName }
  if (!isObject(device.keys)) return undefined
  const { user_id: owner, device_id: id } = device.keys
  if ((owner !== undefined && owner !== userId) || (id !== undefined && id !== deviceId)) return undefined
  const keys = boundedText(without(device.keys, 'unsigned'), E2E_LIMITS.deviceKeysBytesMax)
  return keys === undefined ? undefined : { deviceId, keys, displayName }
}

/** A name is only shown: what is too long is cut. */
export function displayNameOf(name: JsonValue | undefined): string | undefined {
  if (typeof name !== 'string' || !name.isWellFormed()) return undefined
  return name.slice(0, INPUT_LIMITS.deviceNameCharactersMax).replace(/[\uD800-\uDBFF]$/, '')
}

export type CheckedSigningKey = { readonly publicKey: string; readonly text: string; readonly value: JsonObject }

/** Undefined for what is not a key of this user for this use. */
export function checkSigningKey(
  userId: UserId,
  usage: KeyUsage,
  key: JsonValue | undefined,
): CheckedSigningKey | undefined {
  if (!isObject(key) || key['user_id'] !== userId) return undefined
  const { usage: usages, keys, signatures } = key
  if (!Array.isArray(usages) || !usages.includes(usage) || !isObject(keys)) return undefined
  if (signatures !== undefined && !isObject(signatures)) return undefined
  const [entry, ...others] = Object.entries(keys)
  if (entry === undefined || others.length > 0 || typeof entry[1] !== 'string') return undefined
  const value = without(key, 'unsigned')
  const text = boundedText(value, E2E_LIMITS.crossSigningKeyBytesMax)
  const [id, publicKey] = entry
  return text === undefined || id !== `ed25519:${publicKey}` ? undefined : { publicKey, text, value }
}

/** A one-time key of another server's user. */
export function checkRemoteKey(name: string, key: JsonValue, algorithm: string): boolean {
  if (!name.startsWith(`${algorithm}:`) || name.length > E2E_LIMITS.keyNameCharactersMax) return false
  if (typeof key !== 'string' && !isObject(key)) return false
  return boundedText(key, E2E_LIMITS.oneTimeKeyBytesMax) !== undefined
}

/** A device as another server answers POST /user/keys/query. */
export function checkQueriedDevice(userId: UserId, deviceId: string, keys: JsonValue): JsonObject | undefined {
  if (!isObject(keys)) return undefined
  const name = isObject(keys['unsigned']) ? keys['unsigned']['device_display_name'] : undefined
  const device = checkRemoteDevice(userId, { deviceId, keys, name })
  if (device?.keys === undefined) return undefined
  const shown = emptyObject()
  Object.assign(shown, without(keys, 'unsigned'))
  const unsigned = emptyObject()
  if (device.displayName !== undefined) unsigned['device_display_name'] = device.displayName
  shown['unsigned'] = unsigned
  return shown
}

function boundedText(value: JsonValue, bytesMax: number): string | undefined {
  if (!isCanonicalValue(value)) return undefined
  const text = canonicalJson(value)
  return fitsUtf8(text, bytesMax) ? text : undefined
}
