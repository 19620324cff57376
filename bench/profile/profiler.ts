/** Takes a CPU profile of the server during each measured span. */

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Instruments } from '../measure/meter.ts'
import { Inspector } from './inspector.ts'
import { selfTimes } from './self-time.ts'

const FUNCTIONS_SHOWN = 25

export function profiledInstruments(
  instruments: Instruments,
  wanted: { folder: string | undefined; pid: number | undefined },
): Instruments {
  const { folder, pid } = wanted
  if (folder === undefined) return instruments
  if (pid === undefined) throw new Error('--profile needs --pid')
  mkdirSync(folder, { recursive: true })
  return { ...instruments, around: (title, work) => profiled({ folder, pid, title }, work) }
}

async function profiled<Answer>(
  span: { folder: string; pid: number; title: string },
  work: () => Promise<Answer>,
): Promise<Answer> {
  using inspector = await Inspector.open(span.pid)
  await inspector.startProfile()
  const answer = await work()
  const profile = await inspector.stopProfile()
  const name = span.title.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')
  const lines = selfTimes(profile, FUNCTIONS_SHOWN).map(
    (one) => `${(one.share * 100).toFixed(1).padStart(5)} %  ${one.where}`,
  )
  writeFileSync(join(span.folder, `${name}.cpuprofile`), JSON.stringify(profile))
  process.stderr.write(`\nself time, ${span.title}\n${lines.join('\n')}\n\n`)
  return answer
}
