/** Chance as a parameter (CONTRIBUTING R7), always from a cryptographic source in production. */

export type Random = {
  bytes(length: number): Uint8Array
  /** `length` characters of `alphabet` (default A-Z a-z 0-9), uniformly chosen. */
  text(length: number, alphabet?: string): string
  /** Uniform integer in [0, exclusiveMax). */
  integer(exclusiveMax: number): number
}
