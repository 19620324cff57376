/** What `go test -json` says, as results of top-level tests. */
import type { Outcome, Result } from '../sytest/tap.ts'

type Line = { readonly Action: string; readonly Package: string; readonly Test?: string; readonly Output?: string }

const VERDICTS: ReadonlyMap<string, Outcome> = new Map([
  ['pass', 'pass'],
  ['fail', 'fail'],
  ['skip', 'skip'],
])
/** What is no reason: the run's own words, requests, and the log of a server. */
const NO_REASON =
  /^\s*(=== |--- |\{|\d{4}\/|client\.go:|server\.go:210|$)|WARNING: |SendEventSynced waiting|Creating room|joined room ID/
// oxlint-disable-next-line no-control-regex -- colours of a terminal
const COLOUR = /\u001B\[\d+m/g
const DETAIL_LENGTH_MAX = 300

/** Names of packages are given without the module's. */
export function readGoTest(json: string): Result[] {
  const details = new Map<string, string>()
  const results: Result[] = []
  for (const { Action: action, Package: pkg, Test: test, Output: output = '' } of linesOf(json)) {
    if (test === undefined) continue
    const [name = ''] = test.split('/')
    const key = `${pkg} ${name}`
    const text = output.replaceAll(COLOUR, '').trim()
    if (action === 'output' && !NO_REASON.test(text) && !details.has(key)) details.set(key, text)
    const outcome = name === test ? VERDICTS.get(action) : undefined
    if (outcome === undefined) continue
    const detail = outcome === 'pass' ? '' : (details.get(key) ?? '').slice(0, DETAIL_LENGTH_MAX)
    results.push({ file: pkg.replace(/^.*\/complement\//, ''), name, outcome, detail })
  }
  return results
}

function linesOf(json: string): Line[] {
  // A line that is none is the compiler's, or the end of a run that was stopped.
  return json.split('\n').flatMap((line) => {
    try {
      return [JSON.parse(line) as Line]
    } catch {
      return []
    }
  })
}
