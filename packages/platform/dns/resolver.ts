/** What the rest of the house asks the DNS. */

export type SrvRecord = {
  readonly target: string
  readonly port: number
  readonly priority: number
  readonly weight: number
}

export type ResolvedAddress = { readonly address: string; readonly family: 4 | 6 }

export type Resolver = {
  /**
   * Ordered by priority; none: there are no such records.
   * @throws {LookupFailed} nobody could tell
   */
  lookupSrv(name: string): Promise<readonly SrvRecord[]>
  /**
   * Addresses behind a name, through any aliases; none: it has no address.
   * @throws {LookupFailed} nobody could tell
   */
  lookupAddresses(name: string): Promise<readonly ResolvedAddress[]>
}

/** The name servers failed, or did not answer: no statement about the name. */
export class LookupFailed extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'LookupFailed'
  }
}

export type DnsAnswer<T> = {
  readonly records: readonly T[]
  /** Undefined where the source does not tell. */
  readonly ttlMs: number | undefined
}

/** A resolver without a memory. It throws `LookupFailed` like one. */
export type DnsSource = {
  srv(name: string): Promise<DnsAnswer<SrvRecord>>
  addresses(name: string): Promise<DnsAnswer<ResolvedAddress>>
}
