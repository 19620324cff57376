/** What stops a command, in words for who typed it, with an exit code that a script can tell apart. */

export const EXIT_CODES = {
  /** Anything that nobody foresaw. */
  unexpected: 1,
  /** The settings are wrong, or contradict the data. */
  settings: 2,
  /** Another process works on the same data. */
  'data-in-use': 3,
  /** The address to listen on cannot be had. */
  address: 4,
  /** The data cannot be read or written, or come from another version. */
  data: 5,
  /** The command was understood and refused. */
  refused: 6,
} as const

export type StartProblemKind = keyof typeof EXIT_CODES

export class StartProblem extends Error {
  readonly kind: StartProblemKind
  constructor(kind: StartProblemKind, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'StartProblem'
    this.kind = kind
  }
}
