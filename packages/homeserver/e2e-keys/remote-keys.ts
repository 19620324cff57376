/** How the keys of users of other servers are asked for; the federation client implements it. */
import type { ServerName, UserId } from '@holdfast/protocol/ids/brand'
import type { JsonObject } from '@holdfast/protocol/json/value'

/**
 * Each call is one request to one server. The answer is the body as it came, parsed but not believed: this folder
 * takes from it what the server may say. It rejects when the server cannot be reached, refuses, or takes too long.
 */
export type RemoteKeys = {
  /** POST /user/keys/query */
  query(server: ServerName, deviceKeys: KeyQuery, options: RemoteOptions): Promise<JsonObject>
  /** POST /user/keys/claim */
  claim(server: ServerName, oneTimeKeys: KeyClaim, options: RemoteOptions): Promise<JsonObject>
  /** GET /user/devices/{userId} */
  devices(server: ServerName, userId: UserId, options: RemoteOptions): Promise<JsonObject>
}

export type RemoteOptions = { readonly timeoutMs: number }

/** Device ids by user; an empty list means all of them. */
export type KeyQuery = ReadonlyMap<UserId, readonly string[]>

/** Algorithms by user and device. */
export type KeyClaim = ReadonlyMap<UserId, ReadonlyMap<string, string>>
