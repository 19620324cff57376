/** Keys are fetched over the same way as everything else, only unsigned. */
import type { KeyFetcher } from '../keys/key-fetcher.ts'
import type { FederationClient } from './federation-client.ts'

export function keyFetcherOver(client: FederationClient): KeyFetcher {
  return {
    get: (destination, path, limits) => client.send({ destination, method: 'GET', path, signed: false, ...limits }),
    post: (destination, path, body, limits) =>
      client.send({ destination, method: 'POST', path, body, signed: false, ...limits }),
  }
}
