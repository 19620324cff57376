/** Everything that crosses a boundary, in order: two runs of one seed must agree on all of it. */
import { createHash } from 'node:crypto'

export type Trace = {
  /** One line; what is `hidden` counts for the digest only. */
  note(atMs: number, who: string, what: string, hidden?: string): void
  digest(): string
  readonly count: number
  /** The newest lines, oldest first. */
  last(count: number): readonly string[]
  /** The newest lines that contain the text. */
  about(text: string, count: number): readonly string[]
}

const LINES_KEPT = 20_000

export function createTrace(): Trace {
  const hash = createHash('sha256')
  let lines: string[] = []
  let count = 0
  return {
    note: (atMs, who, what, hidden = '') => {
      const line = `${atMs.toFixed(1).padStart(10)} ${who.padEnd(6)} ${what}`
      hash.update(line).update(hidden).update('\n')
      count += 1
      lines.push(line)
      if (lines.length > 2 * LINES_KEPT) lines = lines.slice(-LINES_KEPT)
    },
    digest: () => hash.copy().digest('hex'),
    get count() {
      return count
    },
    last: (wanted) => lines.slice(-wanted),
    about: (text, wanted) => lines.filter((line) => line.includes(text)).slice(-wanted),
  }
}
