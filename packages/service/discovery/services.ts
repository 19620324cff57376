/** SRV records of Matrix servers, in the order in which they are to be tried. */
import { LookupFailed, type Resolver, type SrvRecord } from '@holdfast/platform/dns/resolver'
import type { Random } from '@holdfast/platform/random/random'

export const SERVICE_TARGETS_MAX = 6

export type ServiceTargets =
  | { readonly kind: 'targets'; readonly targets: readonly { readonly host: string; readonly port: number }[] }
  | { readonly kind: 'none' }
  /** The domain says that it has no such service. */
  | { readonly kind: 'refused' }

export async function lookupService(
  { resolver, random }: { readonly resolver: Pick<Resolver, 'lookupSrv'>; readonly random: Random },
  name: string,
): Promise<ServiceTargets> {
  const records = await recordsOf(resolver, name)
  if (records.length === 1 && isRoot(records[0]!.target)) return { kind: 'refused' }
  const usable = records.filter(isUsable)
  if (usable.length === 0) return { kind: 'none' }
  const targets = inOrder(usable, random).slice(0, SERVICE_TARGETS_MAX)
  return { kind: 'targets', targets: targets.map(({ target, port }) => ({ host: withoutDot(target), port })) }
}

/** A name server that fails must not cut off a server that never had such a record. What is reached instead has to prove its name. */
async function recordsOf(resolver: Pick<Resolver, 'lookupSrv'>, name: string): Promise<readonly SrvRecord[]> {
  try {
    return await resolver.lookupSrv(name)
  } catch (error) {
    if (error instanceof LookupFailed) return []
    throw error
  }
}

function isRoot(target: string): boolean {
  return target === '.' || target === ''
}

function isUsable({ target, port }: SrvRecord): boolean {
  return port >= 1 && port <= 65_535 && /^[0-9A-Za-z_-][0-9A-Za-z._-]{0,253}$/.test(target)
}

function withoutDot(target: string): string {
  return target.endsWith('.') ? target.slice(0, -1) : target
}

/** By priority, and within one by chance according to weight (RFC 2782). */
function inOrder(records: readonly SrvRecord[], random: Random): SrvRecord[] {
  const priorities = [...new Set(records.map(({ priority }) => priority))].toSorted((a, b) => a - b)
  return priorities.flatMap((priority) => {
    // Records without weight come first, so that each has a small chance.
    const rest = records.filter((one) => one.priority === priority).toSorted((a, b) => a.weight - b.weight)
    return Array.from({ length: rest.length }, () => takeOne(rest, random))
  })
}

function takeOne(rest: SrvRecord[], random: Random): SrvRecord {
  const sum = rest.reduce((total, { weight }) => total + weight, 0)
  let drawn = random.integer(sum + 1)
  const index = rest.findIndex(({ weight }) => (drawn -= weight) <= 0)
  return rest.splice(index, 1)[0]!
}
