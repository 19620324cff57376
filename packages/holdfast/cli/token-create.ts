/** `holdfast token create` */
import { duration } from '@holdfast/platform/config/kinds'
import { createRegistrationToken } from '../server/create-registration-token.ts'
import { StartProblem } from '../server/start-problem.ts'
import { onData } from './on-data.ts'
import { loadSettings } from './settings.ts'
import type { Terminal } from './terminal.ts'

const USES_MAX = 1_000_000

export async function tokenCreate(terminal: Terminal, options: Readonly<Record<string, unknown>>): Promise<void> {
  const settings = await loadSettings(terminal, options)
  const wanted = { uses: usesOf(options['uses']), lifetimeMs: lifetimeOf(options['expires']) }
  const token = await onData(settings, {
    action: 'registration-tokens',
    body: wanted,
    answer: 'token',
    direct: ({ homeserver }) => createRegistrationToken(homeserver.parts, wanted),
  })
  terminal.print(token)
}

function usesOf(given: unknown): number | undefined {
  if (given === undefined) return undefined
  const uses = Number(given)
  if (Number.isInteger(uses) && uses > 0 && uses <= USES_MAX) return uses
  throw new StartProblem('refused', `--uses must be a number from 1 to ${USES_MAX}`)
}

function lifetimeOf(given: unknown): number | undefined {
  if (given === undefined) return undefined
  const parsed = duration.parse(given)
  if (parsed.ok) return parsed.value
  throw new StartProblem('refused', `--expires ${parsed.message}`)
}
