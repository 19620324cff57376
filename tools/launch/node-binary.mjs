// Which Node runs the TypeScript: the system's where it is new enough, otherwise the one from the `node` package.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { LaunchProblem } from './problem.mjs'

// Type stripping and node:sqlite without flags, in the form this repository uses.
const NODE_MAJOR_MIN = 26

/** The path of a Node that runs this repository. Throws a LaunchProblem that says what to do when there is none. */
export function chooseNode(root, current = process) {
  if (majorOf(current.version) >= NODE_MAJOR_MIN) return current.execPath
  const packaged = join(root, 'node_modules', 'node', 'bin', 'node')
  if (!existsSync(packaged)) {
    throw new LaunchProblem(
      `Holdfast needs Node ${NODE_MAJOR_MIN} or newer; this is ${current.version}, and the packaged one is not ` +
        `there (${packaged}).\nEither npm was told not to run install scripts (ignore-scripts), or there is no ` +
        `package for ${process.platform} ${process.arch}. Install Node ${NODE_MAJOR_MIN} from https://nodejs.org, ` +
        `or remove node_modules and start again with install scripts allowed.`,
    )
  }
  const trial = spawnSync(packaged, ['--version'], { encoding: 'utf8' })
  if (trial.status === 0 && majorOf(trial.stdout.trim()) >= NODE_MAJOR_MIN) return packaged
  throw new LaunchProblem(explainFailure(packaged, trial))
}

export function majorOf(version) {
  const match = /^v(\d+)\./.exec(version)
  return match === null ? 0 : Number(match[1])
}

/** Why the packaged Node did not run, and the command that mends it. */
export function explainFailure(path, trial) {
  const said = `${trial.stderr ?? ''}${trial.error?.message ?? ''}`.trim()
  const library = /(lib[\w+.-]+\.so[\w.]*): cannot open shared object file/.exec(said)?.[1]
  if (library === 'libatomic.so.1') {
    return [
      `The packaged Node ${NODE_MAJOR_MIN} needs the library libatomic.so.1, which this system does not have.`,
      '  Debian, Ubuntu:        apt-get install libatomic1',
      '  Fedora, RHEL, Amazon:  dnf install libatomic',
      '  openSUSE:              zypper install libatomic1',
      `Or install Node ${NODE_MAJOR_MIN} or newer, which is then used as it is.`,
    ].join('\n')
  }
  if (library !== undefined) {
    return `The packaged Node ${NODE_MAJOR_MIN} needs the library ${library}, which this system does not have. Install it, or Node ${NODE_MAJOR_MIN} or newer.`
  }
  // On musl the loader that the binary names is missing, and the kernel reports the binary itself as missing.
  const musl = trial.error?.code === 'ENOENT' || /symbol not found|ld-linux|not found/.test(said)
  return [
    `The packaged Node ${NODE_MAJOR_MIN} (${path}) does not run here${said === '' ? '' : `: ${said}`}`,
    ...(musl ? ['It is built for glibc. On Alpine: apk add nodejs-current, if that is Node 26 or newer.'] : []),
    `Install Node ${NODE_MAJOR_MIN} or newer, which is then used as it is.`,
  ].join('\n')
}
