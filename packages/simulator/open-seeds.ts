/**
 * Seeds that break a rule and whose cause is not mended yet. They run with the others and are told with every run; only they may
 * fail. A seed's course moves with the product, so one that passes is no proof that its cause is gone: take it off when that is.
 */
export const OPEN_SEEDS: ReadonlyMap<number, string> = new Map([
  [184, 'the membership of a user of a lying server differs between two honest ones'],
  [321, 'four messages that were sent while the other server of the room lied were never heard there'],
  [
    328,
    'after crashes and a partition one server has another state than two others: rejoined by way of a stale server',
  ],
])
