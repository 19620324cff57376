/** A server that the comparison can start from an empty folder. */

export type Running = {
  readonly url: string
  readonly secret: string
  /** Roots of all process trees that serve: the homeserver's, and its database server's. */
  readonly pids: readonly number[]
  readonly database: { readonly path: string } | { readonly pgUrl: string }
  stop(): Promise<void>
}

export type Place = {
  /** Empty, and this server's alone. */
  readonly folder: string
  /** Kept between runs, for what takes long to install. */
  readonly cache: string
  /** Cores for the server with all that belongs to it. */
  readonly cores?: string | undefined
}

export type Candidate = {
  readonly name: string
  readonly label: string
  readonly durability: string
  start(place: Place): Promise<Running>
}

/** Survives a power cut: every commit waits for fsync. */
export const FSYNCED = 'each acknowledged write is fsynced (survives power loss)'
