/** Another server for tests: it has a key, publishes it, and signs what it asks. */
import { hash } from 'node:crypto'
import type { Clock } from '@holdfast/platform/clock/clock'
import { buildServerKeys } from '@holdfast/protocol/federation/own-keys'
import { signRequest } from '@holdfast/protocol/federation/signed-request'
import type { ServerName } from '@holdfast/protocol/ids/brand'
import type { JsonObject, JsonValue } from '@holdfast/protocol/json/value'
import { createSigningKey, type SigningKey } from '@holdfast/protocol/signing/signing-key'
import type { KeyFetcher } from '../federation/keys/key-fetcher.ts'

const DAY_MS = 24 * 3_600_000

/** The same key for the same name and id. */
export function keyOfPeer(serverName: string, version = 'a_1'): SigningKey {
  return createSigningKey({ keyId: `ed25519:${version}`, seed: hash('sha256', `${serverName} ${version}`, 'buffer') })
}

/** The header of a signed request. */
export function authorization(request: {
  readonly origin: string
  readonly destination: string
  readonly method: string
  readonly target: string
  readonly content?: unknown
  readonly key?: SigningKey
}): string {
  const { origin, destination, method, target, content, key } = request
  const signed = {
    method,
    uri: target,
    origin: origin as ServerName,
    destination: destination as ServerName,
    content: content as JsonValue | undefined,
  }
  return signRequest(signed, key ?? keyOfPeer(origin))
}

export type KeyNetwork = KeyFetcher & {
  /** What was asked of whom, in order: `GET other.example /_matrix/key/v2/server`. */
  readonly asked: string[]
  /** From now on the server answers this to every question about keys; a function is given the body of a query. */
  answers(
    server: string,
    answer: JsonValue | Error | ((body: JsonObject | undefined) => JsonValue | Promise<JsonValue>),
  ): void
  /** From now on the server publishes its key. */
  publishes(server: string): void
}

/** A network in which nobody can be reached except those who were given an answer. */
export function openKeyNetwork(clock: Pick<Clock, 'nowMs'>): KeyNetwork {
  const answers = new Map<string, Parameters<KeyNetwork['answers']>[1]>()
  const asked: string[] = []
  async function answer(line: string, server: string, body?: JsonObject): Promise<JsonValue> {
    asked.push(line)
    const given = answers.get(server) ?? new Error(`${server} cannot be reached`)
    if (given instanceof Error) throw given
    return typeof given === 'function' ? given(body) : given
  }
  return {
    asked,
    answers: (server, given) => void answers.set(server, given),
    publishes: (server) =>
      void answers.set(server, () => publishedKeys(server, { validUntilTs: clock.nowMs() + DAY_MS })),
    get: (server, path) => answer(`GET ${server} ${path}`, server),
    post: (server, path, body) => answer(`POST ${server} ${path}`, server, body),
  }
}

export function publishedKeys(
  server: string,
  options: {
    readonly validUntilTs: number
    readonly keys?: readonly SigningKey[]
    readonly old?: readonly { readonly key: SigningKey; readonly expiredTs: number }[]
  },
): JsonObject {
  const { validUntilTs, keys = [keyOfPeer(server)], old = [] } = options
  return buildServerKeys({
    serverName: server as ServerName,
    validUntilTs,
    keys,
    oldKeys: old.map(({ key, expiredTs }) => ({ keyId: key.keyId, publicKey: key.publicKey, expiredTs })),
  })
}
