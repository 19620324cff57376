/** Where a server is, and who it has to prove to be. */

export type Route = {
  /** For the `Host` header. */
  readonly hostHeader: string
  /** The name for SNI that the certificate must carry; an IPv6 address without brackets. */
  readonly tlsName: string
  /** To be tried in this order. */
  readonly connectTo: readonly { readonly host: string; readonly port: number }[]
  /** Which step of the discovery told. */
  readonly via: 'literal' | 'port' | 'srv' | 'deprecated-srv' | 'default'
  /** The server that a well-known file named. */
  readonly delegatedTo?: string
}
