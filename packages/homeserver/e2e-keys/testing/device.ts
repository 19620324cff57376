/** Keys as a device makes them. */
import { randomBytes } from 'node:crypto'
import { emptyObject, type JsonObject, type MutableJsonObject } from '@holdfast/protocol/json/value'
import { encodeBase64 } from '@holdfast/protocol/signing/base64'
import { signJson } from '@holdfast/protocol/signing/sign-json'
import { createSigningKey, type SigningKey } from '@holdfast/protocol/signing/signing-key'

type Device = { readonly userId: string; readonly deviceId: string }

export function randomKey(): string {
  return encodeBase64(randomBytes(32))
}

/** Keys of devices and users have ids that keys of servers cannot have; without an id it is the public key. */
export function newSigningKey(id?: string): SigningKey {
  const key = createSigningKey({ keyId: 'ed25519:x', seed: randomBytes(32) })
  return { ...key, keyId: `ed25519:${id ?? key.publicKey}` }
}

/** Identity keys with their signature, and the key that signed. */
export function deviceKeysOf(
  { userId, deviceId }: Device,
  signingKey = newSigningKey(deviceId),
): {
  readonly keys: JsonObject
  readonly signingKey: SigningKey
} {
  const unsigned = {
    user_id: userId,
    device_id: deviceId,
    algorithms: ['m.olm.v1.curve25519-aes-sha2', 'm.megolm.v1.aes-sha2'],
    keys: { [`curve25519:${deviceId}`]: randomKey(), [`ed25519:${deviceId}`]: signingKey.publicKey },
  }
  return { keys: plain(signJson(unsigned, { signer: userId, key: signingKey })), signingKey }
}

/** Signed one-time keys by name. */
export function oneTimeKeysOf(device: Device, ids: readonly string[]): JsonObject {
  const key = newSigningKey(device.deviceId)
  const keys: MutableJsonObject = emptyObject()
  for (const id of ids) {
    keys[`signed_curve25519:${id}`] = signJson({ key: randomKey() }, { signer: device.userId, key })
  }
  return plain(keys)
}

export type CrossSigning = {
  readonly master: SigningKey
  readonly selfSigning: SigningKey
  readonly userSigning: SigningKey
  /** The body of POST /keys/device_signing/upload. */
  readonly body: JsonObject
}

export function crossSigningOf(userId: string): CrossSigning {
  const [master, selfSigning, userSigning] = [newSigningKey(), newSigningKey(), newSigningKey()]
  const key = (usage: string, signingKey: SigningKey): JsonObject => ({
    user_id: userId,
    usage: [usage],
    keys: { [signingKey.keyId]: signingKey.publicKey },
  })
  const body = {
    master_key: key('master', master),
    self_signing_key: signJson(key('self_signing', selfSigning), { signer: userId, key: master }),
    user_signing_key: signJson(key('user_signing', userSigning), { signer: userId, key: master }),
  }
  return { master, selfSigning, userSigning, body: plain(body) }
}

/** Objects as tests compare them. */
export function plain<Value>(value: Value): Value {
  return JSON.parse(JSON.stringify(value)) as Value
}
