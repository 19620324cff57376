import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseSmapsRollup, parseStat, processTrees, treeOf } from './processes.ts'

const STAT =
  '42 (tmux: (x) 1) S 7 42 42 0 -1 4194560 100 200 0 0 150 50 30 20 20 0 11 0 999 1000 500 18446744073709551615'

function stat(pid: number, parentPid: number) {
  return { pid, parentPid, cpuTicks: 0 }
}

test('a stat line gives parent and CPU time, also of ended children, whatever the command is called', () => {
  assert.deepEqual(parseStat(STAT), { pid: 42, parentPid: 7, cpuTicks: 250 })
})

test('a tree holds roots and all descendants once, in any order of pids', () => {
  const all = [stat(2, 9), stat(3, 2), stat(9, 1), stat(1, 0), stat(5, 1), stat(4, 3)]
  assert.deepEqual(
    treeOf([9, 3], all).map((process) => process.pid),
    [2, 3, 9, 4],
  )
})

test('memory of a process comes from smaps_rollup, nothing when it cannot be read', () => {
  const text = '55f-7ff ---p 00000000 00:00 0  [rollup]\nRss:             2048 kB\nPss:    1024 kB\nPss_Dirty: 7 kB\n'
  assert.deepEqual(parseSmapsRollup(text), { rssKiB: 2048, pssKiB: 1024 })
  assert.deepEqual(parseSmapsRollup(''), { rssKiB: 0, pssKiB: 0 })
})

test('this process has memory and CPU time', { skip: process.platform !== 'linux' && 'reads /proc' }, () => {
  const trees = processTrees([process.pid])
  assert.ok(trees.memory().rssMiB > 10)
  assert.ok(trees.cpuSeconds() >= 0)
  assert.throws(() => processTrees([2 ** 22 + 1]).cpuSeconds(), /does not exist/)
})
