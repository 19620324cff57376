/** Sytest's output as results: TAP on stdout has the verdicts, stderr the files; the test's number joins them. */

export type Outcome = 'pass' | 'fail' | 'skip'

export type Result = {
  readonly file: string
  readonly name: string
  readonly outcome: Outcome
  /** Of a failure, the first line that Sytest says about it; of a skipped test, what was lacking. */
  readonly detail: string
}

export type Run = {
  readonly results: readonly Result[]
  /** Why the run is not whole, if it broke off. */ readonly brokeOff: string | undefined
}

const VERDICT = /^(not )?ok (\d+) (.*)$/

export function readRun(tap: string, errors: string): Run {
  const files = filesByNumber(errors)
  const results: Result[] = []
  const seen = new Set<number>()
  const lines = tap.split(/\r?\n/)
  lines.forEach((line, index) => {
    const match = VERDICT.exec(line)
    if (match === null) return
    const number = Number(match[2])
    seen.add(number)
    results.push({
      file: files.get(number) ?? '?',
      ...readVerdict(match[1] !== undefined, match[3] ?? ''),
      ...detailAt(lines, index),
    })
  })
  return {
    results: results.map(withSkipReason),
    brokeOff: brokeOff(
      lines,
      [...files.keys()].filter((number) => !seen.has(number)),
    ),
  }
}

function filesByNumber(errors: string): Map<number, string> {
  const files = new Map<number, string>()
  let file = '?'
  for (const line of errors.split(/\r?\n/)) {
    file = /^(tests\/\S+\.pl):$/.exec(line)?.[1] ?? file
    const number = /^ {4}Test (\d+) /.exec(line)?.[1]
    if (number !== undefined) files.set(Number(number), file)
  }
  return files
}

function readVerdict(failed: boolean, text: string): { name: string; outcome: Outcome } {
  const name = text
    .replace(/^\(expected fail\) /, '')
    .replace(/ # (TODO|skip) .*$/, '')
    .replace(/ \(\d+ subtests\)$/, '')
  return { name: name.trim() === '' ? text : name, outcome: / # skip /.test(text) ? 'skip' : failed ? 'fail' : 'pass' }
}

/** `# Started: …` and `# Ended: …` frame the log; the first other line is the reason. */
function detailAt(lines: readonly string[], index: number): { detail: string } {
  const skip = / # skip (.*)$/.exec(lines[index] ?? '')?.[1]
  if (skip !== undefined) return { detail: skip }
  for (let at = index + 1; lines[at]?.startsWith('#') === true; at += 1) {
    const text = lines[at]?.replace(/^# ?/, '').trim() ?? ''
    if (text !== '' && !/^(Started|Ended):/.test(text)) return { detail: text }
  }
  return { detail: '' }
}

function withSkipReason(result: Result): Result {
  return result.outcome === 'pass' ? { ...result, detail: '' } : result
}

function brokeOff(lines: readonly string[], unfinished: readonly number[]): string | undefined {
  if (unfinished.length > 0) return `no result for test ${unfinished.join(', ')}`
  return lines.some((line) => /^1\.\.\d+$/.test(line)) ? undefined : 'no plan at the end'
}

/** Sytest gives some tests of one file the same name; a number keeps them apart. */
export function distinct(results: readonly Result[]): Result[] {
  const seen = new Map<string, number>()
  return results.map((result) => {
    const key = `${result.file} ${result.name}`
    const count = (seen.get(key) ?? 0) + 1
    seen.set(key, count)
    return count === 1 ? result : { ...result, name: `${result.name} (${count})` }
  })
}
