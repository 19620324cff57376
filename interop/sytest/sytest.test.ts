import assert from 'node:assert/strict'
import { test } from 'node:test'
import { groupOf } from './groups.ts'
import { reasonFor } from './reasons.ts'
import { renderForTerminal, renderSection, replaceSection } from './report.ts'
import { changes, renderScoreboard } from './scoreboard.ts'
import { distinct, readRun } from './tap.ts'

const TAP = `# Starting holdfast-0 with: npm start
ok 1 Can log in
not ok 2 (expected fail) Can log out # TODO expected fail
# Started: 2026-01-01 00:00:00.000
# Ended: 2026-01-01 00:00:00.100
# Expected 200, got 500
# second line
ok 3 Can dance # skip lack of can_log_out
not ok 4 Room state over federation (3 subtests)
# no answer
1..4
`
const ERRORS = `tests/12login/01x.pl:
    Test 1 Can log in... PASS
    Test 2 Can log out... EXPECTED FAIL
tests/30rooms/02y.pl:
    Test 3 Can dance... SKIP
    Test 4 Room state over federation... FAIL
`

test('the two outputs become one list of results', () => {
  const { results, brokeOff } = readRun(TAP, ERRORS)
  assert.equal(brokeOff, undefined)
  assert.deepEqual(results, [
    { file: 'tests/12login/01x.pl', name: 'Can log in', outcome: 'pass', detail: '' },
    { file: 'tests/12login/01x.pl', name: 'Can log out', outcome: 'fail', detail: 'Expected 200, got 500' },
    { file: 'tests/30rooms/02y.pl', name: 'Can dance', outcome: 'skip', detail: 'lack of can_log_out' },
    { file: 'tests/30rooms/02y.pl', name: 'Room state over federation', outcome: 'fail', detail: 'no answer' },
  ])
})

test('a run that broke off says so', () => {
  assert.equal(readRun(TAP.replace('1..4', ''), ERRORS).brokeOff, 'no plan at the end')
  assert.equal(readRun(TAP, `${ERRORS}    Test 5 More... `).brokeOff, 'no result for test 5')
})

test('two tests of one name stay two', () => {
  const [first] = readRun(TAP, ERRORS).results
  assert.ok(first)
  assert.deepEqual(
    distinct([first, first]).map(({ name }) => name),
    ['Can log in', 'Can log in (2)'],
  )
})

test('lost and won tests are changes', () => {
  const { results } = readRun(TAP, ERRORS)
  const recorded = renderScoreboard(results)
  assert.deepEqual(changes(recorded, results), [])
  assert.deepEqual(changes(recorded.replace('Can log out  fail', 'Can log out  pass'), results), [
    { test: 'tests/12login/01x.pl  Can log out', from: 'pass', to: 'fail' },
  ])
  assert.deepEqual(changes('', results.slice(0, 1)), [
    { test: 'tests/12login/01x.pl  Can log in', from: 'absent', to: 'pass' },
  ])
})

test('the report counts by file, the page by group, with reasons', () => {
  const { results } = readRun(TAP, ERRORS)
  assert.match(renderForTerminal(results), /^tests\/12login\/01x\.pl {5}1 {5}1 {5}0$/m)
  const section = renderSection(results, 'abc')
  assert.match(section, /^\| 12login \| 1 \| 1 \| 0 \|$/m)
  assert.match(section, /\*\*unexplained\*\* \(2\)\n\n- `tests\/12login\/01x\.pl`: Can log out/)
  const keys = { file: 'tests/50federation/01keys.pl', name: 'x', outcome: 'fail', detail: '' } as const
  assert.match(renderSection([keys], 'abc'), /\*\*asks a notary[^]*\(1\)\n\n- `tests\/50federation\/01keys\.pl`: x/)
  assert.equal(groupOf('tests/11register.pl'), '11register')
  assert.equal(reasonFor({ file: 'x', name: 'Can log in', outcome: 'fail', detail: '' }), undefined)
})

test('the section of the page is replaced, the rest stays', () => {
  const once = replaceSection('# Conformance\n\nIntro.\n', 'one')
  const twice = replaceSection(`${once}\nMore.\n`, 'two')
  assert.match(twice, /^# Conformance\n\nIntro\.\n[^]*two[^]*More\.\n$/)
  assert.doesNotMatch(twice, /\bone\b/)
})
