/**
 * `npm run interop`: the suites against software of others. A suite is a folder of interop/ with a `run.ts`; it ends
 * with 0 when it passed, with NOT_HERE when what it needs is not on this machine, with anything else when it failed.
 *
 *   npm run interop                     every suite that can run here
 *   npm run interop -- NAME ...ARGS     one suite; then "cannot run here" is a failure
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

const NOT_HERE = 77
const FOLDER = join(import.meta.dirname, '../interop')
/** Has a command of its own: npm run crash. */
const ELSEWHERE = new Set(['crash'])

const suites = readdirSync(FOLDER)
  .filter((name) => !ELSEWHERE.has(name) && existsSync(join(FOLDER, name, 'run.ts')))
  .toSorted()

function run(name: string, args: readonly string[]): number {
  console.log(`── ${name}`)
  const startedMs = performance.now()
  const { status } = spawnSync(process.execPath, [join(FOLDER, name, 'run.ts'), ...args], { stdio: 'inherit' })
  const verdict = status === 0 ? 'passed' : status === NOT_HERE ? 'cannot run here' : 'FAILED'
  console.log(`   ${name}: ${verdict}, ${((performance.now() - startedMs) / 1000).toFixed(1)} s`)
  return status ?? 1
}

function main([wanted, ...args]: readonly string[]): void {
  if (wanted === undefined) {
    const results = suites.map((name) => run(name, []))
    process.exitCode = results.every((status) => status === 0 || status === NOT_HERE) ? 0 : 1
  } else if (suites.includes(wanted)) {
    process.exitCode = run(wanted, args)
  } else {
    console.error(`There is no suite "${wanted}". There are: ${suites.join(', ')}`)
    process.exitCode = 2
  }
}

main(process.argv.slice(2))
