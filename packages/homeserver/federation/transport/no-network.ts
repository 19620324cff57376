/** The way to other servers of a server that has none. */
import { LookupFailed, type Resolver } from '@holdfast/platform/dns/resolver'
import { OutgoingFailed, type HttpClient } from '@holdfast/platform/http/client'

export const NO_NETWORK: { readonly http: HttpClient; readonly resolver: Resolver } = {
  http: {
    send: () => Promise.reject(new OutgoingFailed('unreachable', 'this server has no way to others')),
    [Symbol.asyncDispose]: async () => {},
  },
  resolver: {
    lookupSrv: () => Promise.reject(new LookupFailed('this server has no way to others')),
    lookupAddresses: () => Promise.reject(new LookupFailed('this server has no way to others')),
  },
}
