// The commands of this repository: installs what is missing, finds a Node that runs TypeScript, and hands over to it.
// Plain JavaScript with no dependency, for any Node from 20 on.
import { spawn } from 'node:child_process'
import { existsSync, realpathSync } from 'node:fs'
import { constants } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ensureInstalled } from './install.mjs'
import { chooseNode } from './node-binary.mjs'
import { LaunchProblem } from './problem.mjs'

const ROOT = join(dirname(realpathSync(fileURLToPath(import.meta.url))), '../..')

// A collection of the young generation holds the event loop for as long as what lives there takes to copy: 2 ms with
// 4 MiB, 12 to 24 ms with Node's own 32 MiB. V8's own threads mark, sweep and compile beside the loop with its rank: four
// of them, as is usual, leave it a fifth of a core that they share.
const SERVER_FLAGS = ['--max-semi-space-size=4', '--v8-pool-size=1']

// entry: the TypeScript file; args: what stands before the caller's own; needs: which dependencies must be there.
const COMMANDS = {
  start: { entry: 'packages/holdfast/main.ts', flags: SERVER_FLAGS, args: ['start'], needs: 'production' },
  holdfast: { entry: 'packages/holdfast/main.ts', flags: SERVER_FLAGS, args: [], needs: 'production' },
  test: { entry: 'tools/test.ts', args: [], needs: 'all' },
  lint: { entry: 'tools/test.ts', args: ['types', 'lint', 'tidy'], needs: 'all' },
  format: { entry: 'tools/format.ts', args: [], needs: 'all' },
  tidy: { entry: 'tools/tidy.ts', args: [], needs: 'all' },
  map: { entry: 'tools/map.ts', args: [], needs: 'all' },
  codegen: { entry: 'tools/codegen.ts', args: [], needs: 'all' },
  interop: { entry: 'tools/interop.ts', args: [], needs: 'all' },
  crash: { entry: 'interop/crash/run.ts', args: [], needs: 'all' },
  bench: { entry: 'bench/main.ts', args: [], needs: 'all' },
  simulate: { entry: 'packages/simulator/main.ts', args: [], needs: 'all' },
}

const FORWARDED_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2']

/** Runs a command to its end; the exit code of this process becomes that of the command. */
export function launch(name, args) {
  run(name, args).catch(fail)
}

async function run(name, args) {
  if (!Object.hasOwn(COMMANDS, name)) {
    throw new LaunchProblem(`Unknown command "${name ?? ''}". Known: ${Object.keys(COMMANDS).join(', ')}.`)
  }
  const command = COMMANDS[name]
  const entry = join(ROOT, command.entry)
  if (!existsSync(entry)) {
    throw new LaunchProblem(`"${name}" is not built yet: there is no ${command.entry} in this version of Holdfast.`)
  }
  await ensureInstalled(ROOT, command.needs)
  handOver(chooseNode(ROOT), [...(command.flags ?? []), entry, ...command.args, ...args])
}

// The child keeps the terminal and the process group, so it may receive a signal from there as well as from here.
function handOver(node, args) {
  // What the child starts by the name "node" is the same Node.
  const env = { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH ?? ''}` }
  // What was stripped and compiled once is kept: the next start is faster, and a server is 30 MB smaller.
  env.NODE_COMPILE_CACHE ??= join(ROOT, 'node_modules/.cache/holdfast-compiled')
  const child = spawn(node, args, { stdio: 'inherit', env })
  const forwarded = new Set()
  for (const signal of FORWARDED_SIGNALS) {
    process.on(signal, () => {
      // npm and the terminal both deliver a Ctrl-C; the child needs to hear of it once.
      if (!forwarded.has(signal)) child.kill(signal)
      forwarded.add(signal)
    })
  }
  child.on('error', (error) => fail(new LaunchProblem(`${node} does not start: ${error.message}`)))
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? 128 + (constants.signals[signal] ?? 0)
  })
}

function fail(error) {
  process.stderr.write(error instanceof LaunchProblem ? `holdfast: ${error.message}\n` : `${error.stack}\n`)
  process.exitCode = 1
}
