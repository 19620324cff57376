/** The report of the unit tests: one line per file, what failed in full, and Node's own summary lines last. */
import { relative } from 'node:path'
import type { EventData } from 'node:test'
import type { TestEvent } from 'node:test/reporters'
import { inspect } from 'node:util'

export default async function* report(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const failures: EventData.TestFail[] = []
  const diagnostics: string[] = []
  const trail: string[] = []
  for await (const event of source) {
    if (event.type === 'test:start') trail.splice(event.data.nesting, Infinity, event.data.name)
    else if (event.type === 'test:fail' && isCause(event.data)) {
      failures.push({ ...event.data, name: [...trail.slice(0, event.data.nesting), event.data.name].join(' › ') })
    } else if (event.type === 'test:stdout' || event.type === 'test:stderr') yield event.data.message
    else if (event.type === 'test:summary' && event.data.file !== undefined) yield fileLine(event.data)
    else if (event.type === 'test:diagnostic' && event.data.nesting === 0) diagnostics.push(event.data.message)
  }
  for (const failure of failures) yield describeFailure(failure)
  yield `\n${diagnostics.map((message) => `ℹ ${message}\n`).join('')}`
}

/** A group fails because of its tests; only they are told. */
function isCause({ details }: EventData.TestFail): boolean {
  return (details.error as Error & { failureType?: string }).failureType !== 'subtestsFailed'
}

function fileLine({ file, counts, duration_ms: durationMs, success }: EventData.TestSummary): string {
  const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : ''
  const failed = success ? '' : `, ${counts.tests - counts.passed - counts.skipped - counts.todo} failed`
  const name = relative(process.cwd(), file ?? '')
  return `${success ? '✔' : '✖'} ${name}: ${counts.tests} tests${skipped}${failed}, ${Math.round(durationMs)} ms\n`
}

function describeFailure({ name, file, line, column, details }: EventData.TestFail): string {
  const place = file === undefined ? '' : ` (${relative(process.cwd(), file)}:${line ?? 1}:${column ?? 1})`
  const error = details.error.cause ?? details.error
  return `\n✖ ${name}${place}\n${inspect(error, { colors: process.stdout.isTTY }).replaceAll(/^/gm, '    ')}\n`
}
