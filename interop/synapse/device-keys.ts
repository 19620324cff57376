/** The keys of a device, signed as a client would. https://spec.matrix.org/v1.19/client-server-api/#key-algorithms */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import { canonicalJson } from '@holdfast/protocol/json/canonical'
import type { JsonObject } from '@holdfast/protocol/json/value'
import type { Person } from './person.ts'

export type DeviceKeys = { readonly device: JsonObject; readonly oneTime: Readonly<Record<string, JsonObject>> }

/** With two one-time keys. */
export function newDeviceKeys({ userId, deviceId }: Person): DeviceKeys {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const identity = publicKey.export({ format: 'jwk' }).x ?? ''
  const signed = (value: JsonObject): JsonObject => ({
    ...value,
    signatures: { [userId]: { [`ed25519:${deviceId}`]: signature(value, privateKey) } },
  })
  const device = signed({
    user_id: userId,
    device_id: deviceId,
    algorithms: ['m.olm.v1.curve25519-aes-sha2', 'm.megolm.v1.aes-sha2'],
    keys: {
      [`curve25519:${deviceId}`]: unpadded(randomBytes(32)),
      [`ed25519:${deviceId}`]: unpadded(Buffer.from(identity, 'base64url')),
    },
  })
  const oneTime = ['AAAAAQ', 'AAAAAg'].map((name) => [
    `signed_curve25519:${name}`,
    signed({ key: unpadded(randomBytes(32)) }),
  ])
  return { device, oneTime: Object.fromEntries(oneTime) }
}

function signature(value: JsonObject, key: KeyObject): string {
  return unpadded(sign(null, Buffer.from(canonicalJson(value)), key))
}

function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('=', '')
}
