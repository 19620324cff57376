/** I12: once everybody can be reached, nothing waits for anybody. */
import type { World } from '../world/world.ts'

export async function nothingWaits({ servers, complain }: World): Promise<void> {
  for (const { name, parts } of servers) {
    const totals = parts.outbox.totals()
    if (totals === undefined || totals.servers > 0 || totals.behind > 0 || totals.inFlight > 0)
      complain('nothing-waits', `the outbox of ${name}: ${JSON.stringify(totals)}`)
    for (const other of servers) {
      if (other.name === name) continue
      const report = await parts.outbox.server(other.name)
      if (report !== undefined && (report.waitingEvents > 0 || report.waitingEdus > 0))
        complain('nothing-waits', `${name} for ${other.name}: ${JSON.stringify(report)}`)
    }
  }
}
