/** A homeserver under test, whoever wrote it: where its clients and other servers reach it, started and stopped. */
export type Peer = AsyncDisposable & {
  readonly software: 'holdfast' | 'synapse'
  /** What reports call it. */
  readonly label: string
  readonly serverName: string
  /** Of its Client-Server API. */
  readonly url: string
  readonly registrationSecret: string
  readonly logFile: string
  start(): Promise<void>
  /** SIGTERM, until it has ended. */
  stop(): Promise<void>
}
