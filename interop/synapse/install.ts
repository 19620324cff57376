/** Synapse from PyPI, in a virtual environment of its own that later runs use again. */
import { execFileSync } from 'node:child_process'
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** The current release when this was last looked at; `--synapse VERSION` tries another one. */
export const SYNAPSE_VERSION = '1.163.2'

/** Not in node_modules, which npm removes when it installs. */
const CACHE = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'holdfast-interop')
const INSTALL_MS_MAX = 10 * 60_000

/** The path of a Python that has Synapse. Throws when it cannot be installed. */
export function installSynapse(version = SYNAPSE_VERSION): string {
  const folder = join(CACHE, `synapse-${version}`)
  const python = join(folder, 'bin/python')
  const done = join(folder, 'installed')
  if (existsSync(done)) return python
  console.log(`installing Synapse ${version} from PyPI`)
  rmSync(folder, { recursive: true, force: true }) // what an interrupted run left behind
  runToEnd('python3', ['-m', 'venv', folder])
  runToEnd(python, [
    '-m',
    'pip',
    'install',
    '--quiet',
    '--disable-pip-version-check',
    '--only-binary=matrix-synapse',
    `matrix-synapse==${version}`,
  ])
  writeFileSync(done, '')
  return python
}

function runToEnd(command: string, args: readonly string[]): void {
  execFileSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'], timeout: INSTALL_MS_MAX })
}
