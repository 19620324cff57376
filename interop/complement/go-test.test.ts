import assert from 'node:assert/strict'
import test from 'node:test'
import { readGoTest } from './go-test.ts'
import { reasonFor } from './reasons.ts'

const PACKAGE = 'github.com/matrix-org/complement/tests/csapi'

function lines(...events: readonly object[]): string {
  return `# some warning\n${events.map((event) => JSON.stringify({ Package: PACKAGE, ...event })).join('\n')}\n{"Act`
}

test('a test with its subtests is one result, and the first complaint is its detail', () => {
  const json = lines(
    { Action: 'run', Test: 'TestA' },
    { Action: 'output', Test: 'TestA/one', Output: '    client.go:860: [CSAPI] GET hs1/x => 404 Not Found (1ms)\n' },
    { Action: 'output', Test: 'TestA/one', Output: '    a_test.go:7: \u001B[31mgot status 404 want 200\u001B[39m\n' },
    { Action: 'output', Test: 'TestA/one', Output: '    a_test.go:8: and more\n' },
    { Action: 'fail', Test: 'TestA/one' },
    { Action: 'fail', Test: 'TestA' },
    { Action: 'pass', Test: 'TestB' },
    { Action: 'fail' },
  )
  assert.deepEqual(readGoTest(json), [
    { file: 'tests/csapi', name: 'TestA', outcome: 'fail', detail: 'a_test.go:7: got status 404 want 200' },
    { file: 'tests/csapi', name: 'TestB', outcome: 'pass', detail: '' },
  ])
})

test('what is not built yet is a reason, whatever was said', () => {
  const about = (name: string) => reasonFor({ file: 'tests/csapi', name, outcome: 'fail', detail: '' })
  assert.match(about('TestMediaConfig') ?? '', /not built yet/)
  assert.equal(about('TestOfNothing'), undefined)
})
