/** Stored keys as others see them: with the signatures they may see and the name of the device. */
import { emptyObject, isObject, type JsonObject, type MutableJsonObject } from '@holdfast/protocol/json/value'
import { withSignature } from '@holdfast/protocol/signing/sign-json'
import { originalText } from '@holdfast/platform/database/text'
import type { UserId } from '@holdfast/protocol/ids/brand'
import type { KeyUsage } from '../storage/cross-signing-keys.ts'
import { storedObject } from './stored-json.ts'

/** A signature that was added after the upload. */
export type AddedSignature = { readonly signer: UserId; readonly keyId: string; readonly signature: string }

export function withSignatures(keys: JsonObject, added: readonly AddedSignature[]): JsonObject {
  return added.reduce((signed, one) => withSignature(signed, one), keys)
}

/** `displayName` is escaped text. */
export function shownDevice(
  device: { readonly keys: string; readonly displayName: string | null },
  added: readonly AddedSignature[],
): JsonObject {
  const shown = emptyObject()
  Object.assign(shown, withSignatures(storedObject(device.keys), added))
  const unsigned = emptyObject()
  if (device.displayName !== null) unsigned['device_display_name'] = originalText(device.displayName)
  shown['unsigned'] = unsigned
  return shown
}

/** What is known of the keys of some users: by user, and of devices by device id. */
export type KeyAnswer = {
  readonly deviceKeys: Map<UserId, JsonObject>
  readonly crossSigning: Record<KeyUsage, Map<UserId, JsonObject>>
}

export function emptyAnswer(): KeyAnswer {
  return {
    deviceKeys: new Map(),
    crossSigning: { master: new Map(), self_signing: new Map(), user_signing: new Map() },
  }
}

export function addAnswer(to: KeyAnswer, from: KeyAnswer): void {
  for (const [userId, devices] of from.deviceKeys) to.deviceKeys.set(userId, devices)
  for (const usage of ['master', 'self_signing', 'user_signing'] as const) {
    for (const [userId, key] of from.crossSigning[usage]) to.crossSigning[usage].set(userId, key)
  }
}

export function objectOf(entries: Iterable<readonly [string, JsonObject]>): JsonObject {
  const object: MutableJsonObject = emptyObject()
  for (const [name, value] of entries) object[name] = value
  return object
}

/** The members of an answer to POST /keys/query or POST /user/keys/query. */
export function keyAnswerBody(answer: KeyAnswer): MutableJsonObject {
  const body = emptyObject()
  body['device_keys'] = objectOf(answer.deviceKeys)
  body['master_keys'] = objectOf(answer.crossSigning.master)
  body['self_signing_keys'] = objectOf(answer.crossSigning.self_signing)
  if (answer.crossSigning.user_signing.size > 0) {
    body['user_signing_keys'] = objectOf(answer.crossSigning.user_signing)
  }
  return body
}

export function objectIn(object: JsonObject, name: string): JsonObject {
  const value = Object.hasOwn(object, name) ? object[name] : undefined
  return isObject(value) ? value : emptyObject()
}
