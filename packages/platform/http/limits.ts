/** The limits of the HTTP server. Times in milliseconds, sizes in bytes. */
export const HTTP_LIMITS = {
  keepAliveMs: 65_000,
  headersMs: 15_000,
  /** A body may take this long, and longer only while it comes at `bodyBytesPerSecondMin`. */
  bodyMs: 75_000,
  bodyBytesPerSecondMin: 10_000,
  sweepEveryMs: 5_000,
  headerBytesMax: 16_384,
  backlog: 4_096,
  /** After a refused body, what still arrives is thrown away for so long, so that the client can read the refusal. */
  lingerMs: 2_000,
  /** A response of which nothing more is taken for so long is given up, with its memory. */
  writeStallMs: 60_000,
  compressFromBytes: 4_096,
} as const

export type HttpLimits = { readonly [K in keyof typeof HTTP_LIMITS]: number }
