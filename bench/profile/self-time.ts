/** Which functions of a CPU profile used the time themselves. */

import type { CpuProfile, ProfileNode } from './inspector.ts'

export type SelfTime = { readonly where: string; readonly share: number }

/** Shares of the busy time, largest first; time in which the loop waited does not count. */
export function selfTimes(profile: CpuProfile, countMax: number): SelfTime[] {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]))
  const micros = new Map<string, number>()
  let busy = 0
  profile.samples?.forEach((id, index) => {
    const node = nodes.get(id)
    if (node === undefined || node.callFrame.functionName === '(idle)') return
    const delta = profile.timeDeltas?.[index] ?? 0
    const where = describe(node)
    micros.set(where, (micros.get(where) ?? 0) + delta)
    busy += delta
  })
  const sorted = [...micros].sort((a, b) => b[1] - a[1]).slice(0, countMax)
  return sorted.map(([where, time]) => ({ where, share: time / busy }))
}

function describe({ callFrame }: ProfileNode): string {
  const file = callFrame.url.split('/').slice(-3).join('/')
  const name = callFrame.functionName || '(anonymous)'
  return file === '' ? name : `${name} ${file}:${callFrame.lineNumber + 1}`
}
