/** Installs Synapse where it is not yet, and runs the tests of this folder with it; see README.md. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { installSynapse } from './install.ts'

const FOLDER = import.meta.dirname
const RUN_MS_MAX = 20 * 60_000

const { values } = parseArgs({
  options: {
    'peer-both': { type: 'string' },
    synapse: { type: 'string' },
    versions: { type: 'string' },
    only: { type: 'string' },
  },
})
if (values['peer-both'] !== undefined && values['peer-both'] !== 'synapse') {
  console.log('--peer-both takes "synapse"')
  process.exit(2)
}

installSynapse(values.synapse)
const settings = {
  INTEROP_PEER_BOTH: values['peer-both'],
  INTEROP_SYNAPSE: values.synapse,
  INTEROP_ROOM_VERSIONS: values.versions,
}
const { status } = spawnSync(
  process.execPath,
  [
    '--test',
    `--test-timeout=${RUN_MS_MAX}`,
    `--test-reporter=${join(FOLDER, '../../tools/test-reporter.ts')}`,
    ...(values.only === undefined ? [] : [`--test-name-pattern=${values.only}`]),
    join(FOLDER, 'synapse.test.ts'),
  ],
  {
    stdio: 'inherit',
    env: { ...process.env, ...Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined)) },
  },
)
process.exitCode = status ?? 1
