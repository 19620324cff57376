/** The recorded results: sorted lines, so that a change of any test is a line of a diff. */
import type { Outcome, Result } from './tap.ts'

/** `pass  tests/11register.pl  POST /register can create a user`. */
export function renderScoreboard(results: readonly Result[]): string {
  return results
    .map((result) => `${lineOf(result)}\n`)
    .toSorted()
    .join('')
}

function lineOf({ outcome, file, name }: Result): string {
  return `${file}  ${name}  ${outcome}`
}

export type Change = { readonly test: string; readonly from: Outcome | 'absent'; readonly to: Outcome | 'absent' }

/** Tests whose outcome differs from the recorded one, both ways: what was lost, and wins that are not recorded. */
export function changes(recorded: string, results: readonly Result[]): Change[] {
  const before = parse(recorded)
  const after = parse(renderScoreboard(results))
  const tests = [...new Set([...before.keys(), ...after.keys()])].toSorted()
  return tests
    .map((test) => ({ test, from: before.get(test) ?? 'absent', to: after.get(test) ?? 'absent' }) as const)
    .filter(({ from, to }) => from !== to)
}

function parse(scoreboard: string): Map<string, Outcome> {
  const lines = scoreboard.split('\n').filter((line) => line !== '')
  return new Map(
    lines.map((line) => {
      const at = line.lastIndexOf('  ')
      return [line.slice(0, at), line.slice(at + 2) as Outcome]
    }),
  )
}
