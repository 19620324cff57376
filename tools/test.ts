/**
 * `npm test`: the checks that need only this repository, cheapest first; stops at the first that fails.
 *
 *   npm test                                      everything
 *   npm test -- types lint                        these steps
 *   npm test -- packages/protocol/json            the unit tests of these files or folders
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, statfsSync, statSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'

type Step = {
  readonly name: string
  /** What it makes sure of, for the heading. */
  readonly title: string
  /** Arguments for Node, or why the step cannot run here. */
  readonly plan: () => readonly string[] | { readonly notHere: string }
}

const ROOT = join(import.meta.dirname, '..')
/** Of a file, too. On a machine ten times as busy as it should be, the slowest takes four minutes. */
const TEST_TIMEOUT_MS = 600_000
/** A file system in memory, of Linux; in containers it is often too small. */
const MEMORY = '/dev/shm'
const MEMORY_BYTES_MIN = 2 * 1024 ** 3
/** A file also waits: for databases, children, clocks. */
const WAITING_FILES = 1
const UNIT_TESTS = [
  'packages/**/*.test.ts',
  'tools/**/*.test.{ts,mjs}',
  'bench/**/*.test.ts',
  'interop/sytest/**/*.test.ts',
]

const STEPS: readonly Step[] = [
  { name: 'types', title: 'types (tsc)', plan: () => ['node_modules/typescript/bin/tsc'] },
  {
    name: 'lint',
    title: 'lint (oxlint)',
    plan: () => ['node_modules/oxlint/bin/oxlint', '--type-aware', '--deny-warnings', '--format=unix'],
  },
  { name: 'format', title: 'format (oxfmt)', plan: () => ['node_modules/oxfmt/bin/oxfmt', '--check'] },
  { name: 'tidy', title: "the repository's own rules (tidy)", plan: () => ['tools/tidy.ts'] },
  {
    name: 'codegen',
    title: 'generated files are what the specification says (codegen)',
    plan: () =>
      existsSync(join(ROOT, '../shared/spec'))
        ? ['tools/codegen.ts', '--check']
        : { notHere: "the specification's data is not beside this repository (../shared/spec)" },
  },
  { name: 'unit', title: 'unit tests (node --test)', plan: () => unitTests(UNIT_TESTS) },
]

function unitTests(patterns: readonly string[]): string[] {
  return [
    '--test',
    `--test-concurrency=${availableParallelism() + WAITING_FILES}`,
    `--test-timeout=${TEST_TIMEOUT_MS}`,
    `--test-reporter=${join(ROOT, 'tools/test-reporter.ts')}`,
    ...patterns,
  ]
}

function main(args: readonly string[]): void {
  const paths = args.filter((arg) => existsSync(join(ROOT, arg)) && !STEPS.some(({ name }) => name === arg))
  const unknown = args.filter((arg) => !paths.includes(arg) && !STEPS.some(({ name }) => name === arg))
  if (unknown.length > 0) {
    console.error(`Neither a step (${STEPS.map(({ name }) => name).join(', ')}) nor a path: ${unknown.join(', ')}`)
    process.exitCode = 2
    return
  }
  const steps = STEPS.filter(({ name }) => args.length === 0 || args.includes(name))
  if (paths.length > 0) {
    steps.push({
      name: 'unit',
      title: `unit tests of ${paths.join(', ')}`,
      plan: () => unitTests(paths.map(asPattern)),
    })
  }
  const startedMs = performance.now()
  using folder = folderInMemory()
  const failed = steps.find((step) => !passes(step, folder?.env))
  if (failed === undefined) console.log(`\n${steps.length} steps passed in ${seconds(startedMs)}`)
  else
    console.log(
      `\nFailed: ${failed.title}, after ${seconds(startedMs)}. "npm test -- ${failed.name}" runs this step alone.`,
    )
  process.exitCode = failed === undefined ? 0 : 1
}

function asPattern(path: string): string {
  return statSync(join(ROOT, path)).isDirectory() ? `${path.replace(/\/$/, '')}/**/*.test.{ts,mjs}` : path
}

/** SQLite waits for the disk at each commit: a third of the time of all tests. */
function folderInMemory(): (Disposable & { readonly env: NodeJS.ProcessEnv }) | undefined {
  if (!existsSync(MEMORY)) return undefined
  const { bavail, bsize } = statfsSync(MEMORY)
  if (bavail * bsize < MEMORY_BYTES_MIN) return undefined
  const path = mkdtempSync(join(MEMORY, 'holdfast-tests-'))
  // A step ends with the signal that it got from the terminal; then this goes on, and cleans up.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {})
  return {
    env: { FAST_TEST_FOLDER: path },
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  }
}

function passes({ title, plan }: Step, env: NodeJS.ProcessEnv = {}): boolean {
  const planned = plan()
  if ('notHere' in planned) {
    console.log(`── ${title}: not here, ${planned.notHere}`)
    return true
  }
  console.log(`── ${title}`)
  const startedMs = performance.now()
  const { status, signal, error } = spawnSync(process.execPath, planned, {
    cwd: ROOT,
    stdio: 'inherit',
    env: { ...process.env, ...env },
  })
  if (error !== undefined) console.log(error.message)
  console.log(`   ${status === 0 ? 'ok' : `FAILED${signal === null ? '' : ` (${signal})`}`}, ${seconds(startedMs)}`)
  return status === 0
}

function seconds(sinceMs: number): string {
  return `${((performance.now() - sinceMs) / 1000).toFixed(1)} s`
}

main(process.argv.slice(2))
